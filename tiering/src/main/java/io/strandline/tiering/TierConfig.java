package io.strandline.tiering;

import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.upload.UploadConfig;

/**
 * @param gather what sealed segments wait for before they go up
 * @param checkMs how often a partition is looked at
 * @param reclaimMs how often release, retention and deletion are looked at; a commit looks at once
 * @param backoffMinMs,backoffMaxMs after failures in a row, doubled each time, half of it by chance
 * @param segmentsPerCommit at most so many segments in one manifest version
 * @param graceMs after which a request of a dead process can no longer arrive, and an object that
 *     nobody names is an orphan
 * @param sweepMs how often a partition is searched for orphans; the first time by chance within it
 * @param rewrite of compaction and merging
 */
public record TierConfig(
    UploadConfig upload,
    GatherConfig gather,
    long checkMs,
    long reclaimMs,
    long backoffMinMs,
    long backoffMaxMs,
    int segmentsPerCommit,
    long graceMs,
    long sweepMs,
    RewriteConfig rewrite) {
  public TierConfig {
    if (checkMs < 1
        || reclaimMs < 1
        || backoffMinMs < 1
        || backoffMaxMs < backoffMinMs
        || segmentsPerCommit < 1
        || graceMs < 1
        || sweepMs < 1) {
      throw new IllegalArgumentException(
          "not a tier configuration: "
              + checkMs
              + ", "
              + reclaimMs
              + ", "
              + backoffMinMs
              + " to "
              + backoffMaxMs
              + ", "
              + segmentsPerCommit
              + ", "
              + graceMs
              + ", "
              + sweepMs);
    }
  }

  /** Nothing gathered, a second, half a minute, 0.5 to 60 s, 8 segments, a day, a day. */
  public static TierConfig defaults() {
    long dayMs = 24 * 60 * 60 * 1000L;
    return new TierConfig(
        UploadConfig.defaults(),
        GatherConfig.none(),
        1_000,
        30_000,
        500,
        60_000,
        8,
        dayMs,
        dayMs,
        RewriteConfig.defaults());
  }
}

package io.strandline.tiering;

import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.upload.UploadConfig;
import java.util.function.Supplier;

/**
 * @param gather what sealed segments wait for before they go up
 * @param checkMs how often a partition is looked at
 * @param reclaimMs how often release, retention and deletion are looked at; a commit looks at once
 * @param backoffMinMs,backoffMaxMs after failures in a row, doubled each time, half of it by chance
 * @param segmentsPerCommit at most so many segments in one manifest version
 * @param scrub how what is tiered is checked; its grace is also the time after which a request of a
 *     dead process can no longer arrive
 * @param rewrite of compaction and merging, as it is now: an operator may change it at any time
 */
public record TierConfig(
    UploadConfig upload,
    GatherConfig gather,
    long checkMs,
    long reclaimMs,
    long backoffMinMs,
    long backoffMaxMs,
    int segmentsPerCommit,
    ScrubConfig scrub,
    Supplier<RewriteConfig> rewrite) {
  public TierConfig {
    if (checkMs < 1
        || reclaimMs < 1
        || backoffMinMs < 1
        || backoffMaxMs < backoffMinMs
        || segmentsPerCommit < 1) {
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
              + segmentsPerCommit);
    }
  }

  long graceMs() {
    return scrub.graceMs();
  }

  /** After which the broker that led a deleted partition should be through with its tier. */
  long secondBurialMs() {
    return 2 * graceMs() + reclaimMs;
  }

  /** Nothing gathered, a second, half a minute, 0.5 to 60 s, 8 segments. */
  public static TierConfig defaults() {
    return new TierConfig(
        UploadConfig.defaults(),
        GatherConfig.none(),
        1_000,
        30_000,
        500,
        60_000,
        8,
        ScrubConfig.defaults(),
        RewriteConfig::defaults);
  }
}

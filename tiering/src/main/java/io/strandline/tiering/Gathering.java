package io.strandline.tiering;

import io.strandline.tiering.reclaim.LocalRelease;
import io.strandline.tiering.seal.SealedSegment;
import java.util.List;

/**
 * When the segments that may go up are worth a manifest version: they are many enough, the oldest
 * has waited long enough, or local retention wants it gone from here. Threads: any.
 */
final class Gathering {
  private final GatherConfig config;
  private final int segmentsMax;
  private final TierMember member;
  private final TierLag lag;

  /**
   * @param segmentsMax of one version: so many wait for nothing more
   */
  Gathering(GatherConfig config, int segmentsMax, TierMember member, TierLag lag) {
    this.config = config;
    this.segmentsMax = segmentsMax;
    this.member = member;
    this.lag = lag;
  }

  /** Whether there are segments from an offset on that may go up, and they are worth it now. */
  boolean worthIt(long fromOffset, long nowMs) {
    List<SealedSegment> may =
        member.source().sealedSegments(fromOffset, member.stableOffset().getAsLong(), segmentsMax);
    return !may.isEmpty() && worthIt(may, nowMs);
  }

  private boolean worthIt(List<SealedSegment> may, long nowMs) {
    long bytes = may.stream().mapToLong(SealedSegment::logBytes).sum();
    SealedSegment oldest = may.get(0);
    return may.size() >= segmentsMax
        || bytes >= config.bytes()
        || nowMs - Math.min(nowMs, lag.sinceMs()) >= config.waitMs()
        || LocalRelease.wanted(
            oldest.maxTimestamp(),
            oldest.logBytes(),
            member.local().sizeBytes(),
            member.policy().get(),
            nowMs);
  }
}

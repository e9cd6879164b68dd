package io.strandline.tiering.reclaim;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;

/** Frees the local copies of what is committed and older, or more, than local retention wants. */
public final class LocalRelease {
  /**
   * @param segments how many entries were released
   * @param more whether the last entry given was released too, so that later ones may be due
   */
  public record Released(int segments, long bytes, boolean more) {}

  private LocalRelease() {}

  /**
   * Releases from the oldest on until one is not due. Blocks on disk.
   *
   * @param committed in order of offsets, from the local log start on
   */
  public static Released release(
      List<CommittedSegment> committed, LocalSegments local, TierPolicy policy, long nowMs) {
    int released = 0;
    long bytes = 0;
    if (policy.keepsLocal()) {
      return new Released(0, 0, false);
    }
    for (CommittedSegment segment : committed) {
      if (!due(segment.entry(), local.sizeBytes(), policy, nowMs)) {
        return new Released(released, bytes, false);
      }
      bytes += local.release(segment);
      released++;
    }
    return new Released(released, bytes, released > 0);
  }

  private static boolean due(
      SegmentEntry entry, long localSizeBytes, TierPolicy policy, long nowMs) {
    return wanted(entry.maxTimestamp(), entry.dataBytes(), localSizeBytes, policy, nowMs);
  }

  /**
   * Whether local retention wants a log's oldest segment gone, were it committed.
   *
   * @param maxTimestamp of the segment, in ms
   * @param bytes of the segment
   */
  public static boolean wanted(
      long maxTimestamp, long bytes, long localSizeBytes, TierPolicy policy, long nowMs) {
    long localMs = policy.effectiveLocalMs();
    long localBytes = policy.effectiveLocalBytes();
    return !policy.keepsLocal()
        && ((localMs >= 0 && nowMs - maxTimestamp > localMs)
            || (localBytes >= 0 && localSizeBytes - bytes >= localBytes));
  }
}

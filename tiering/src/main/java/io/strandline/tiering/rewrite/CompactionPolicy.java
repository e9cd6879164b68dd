package io.strandline.tiering.rewrite;

/**
 * What a topic's configuration says of compaction.
 *
 * @param compacts whether {@code cleanup.policy} has {@code compact}
 * @param dirtyRatioMin {@code min.cleanable.dirty.ratio}
 * @param lagMinMs {@code min.compaction.lag.ms}: what is younger stays as it is
 * @param lagMaxMs {@code max.compaction.lag.ms}: what is older is compacted, however little it is
 * @param deleteRetentionMs {@code delete.retention.ms}
 * @param segmentBytes {@code segment.bytes}: how long rewritten segments become
 * @param keepsLocal whether local bytes stay in any case: internal topics (design D17)
 */
public record CompactionPolicy(
    boolean compacts,
    double dirtyRatioMin,
    long lagMinMs,
    long lagMaxMs,
    long deleteRetentionMs,
    long segmentBytes,
    boolean keepsLocal) {
  /** Of a topic that is not compacted. */
  public static CompactionPolicy never(long segmentBytes) {
    return new CompactionPolicy(false, 1, 0, Long.MAX_VALUE, 0, segmentBytes, false);
  }
}

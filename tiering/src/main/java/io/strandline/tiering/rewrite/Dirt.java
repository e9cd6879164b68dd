package io.strandline.tiering.rewrite;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.SegmentEntry;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * What of a tiered partition waits to be compacted, as Kafka's cleaner measures it.
 *
 * @param fromOffset where the dirty part begins
 * @param endOffset where it ends: the first segment with a record younger than {@code
 *     min.compaction.lag.ms}, or the tier's end
 * @param dirtyBytes between the two
 * @param cleanBytes below
 * @param overdue whether something dirty is older than {@code max.compaction.lag.ms}
 */
record Dirt(long fromOffset, long endOffset, long dirtyBytes, long cleanBytes, boolean overdue) {
  /** Share of what could be compacted that was not yet. */
  double ratio() {
    return dirtyBytes == 0 ? 0 : (double) dirtyBytes / (dirtyBytes + cleanBytes);
  }

  boolean due(CompactionPolicy policy) {
    return dirtyBytes > 0 && (overdue || ratio() >= policy.dirtyRatioMin());
  }

  /**
   * Looks at what the view names, in a few requests however much it is; costs a small read of the
   * first dirty segment if {@code max.compaction.lag.ms} is set.
   *
   * @param read the first so many bytes of a segment
   */
  static CompletableFuture<Dirt> of(
      ManifestView view,
      CompactionPolicy policy,
      long nowMs,
      Function<SegmentEntry, CompletableFuture<ByteBuffer>> read) {
    long from = Math.max(view.startOffset(), view.compaction().cleanedOffset());
    CompletableFuture<Long> end =
        policy.lagMinMs() > 0
            ? view.firstReaching(nowMs - policy.lagMinMs() + 1, from)
                .thenApply(young -> young.map(SegmentEntry::baseOffset).orElse(view.endOffset()))
            : CompletableFuture.completedFuture(view.endOffset());
    return end.thenCompose(
        limit ->
            between(view, from, Math.max(from, limit))
                .thenCompose(
                    dirt ->
                        dirt.dirtyBytes == 0 || policy.lagMaxMs() == Long.MAX_VALUE
                            ? CompletableFuture.completedFuture(dirt)
                            : dirt.look(view, nowMs - policy.lagMaxMs(), read)));
  }

  private static CompletableFuture<Dirt> between(ManifestView view, long from, long end) {
    return view.bytesFrom(from)
        .thenCombine(
            end < view.endOffset() ? view.bytesFrom(end) : CompletableFuture.completedFuture(0L),
            (dirtyOrYoung, young) ->
                new Dirt(from, end, dirtyOrYoung - young, view.sizeBytes() - dirtyOrYoung, false));
  }

  private CompletableFuture<Dirt> look(
      ManifestView view,
      long tooOldMs,
      Function<SegmentEntry, CompletableFuture<ByteBuffer>> read) {
    return view.from(fromOffset, 1)
        .thenCompose(
            oldest ->
                oldest.get(0).dataBytes() < BatchHeader.BYTES
                    ? CompletableFuture.completedFuture(this)
                    : read.apply(oldest.get(0)).thenApply(head -> looked(head, tooOldMs)));
  }

  private Dirt looked(ByteBuffer head, long tooOldMs) {
    boolean tooOld = BatchHeader.parse(head).maxTimestamp() < tooOldMs;
    return new Dirt(fromOffset, endOffset, dirtyBytes, cleanBytes, tooOld);
  }
}

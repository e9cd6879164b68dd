package io.strandline.tiering.rewrite;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.SegmentEntry;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

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
  private static final int PAGE = 256;

  /** Share of what could be compacted that was not yet. */
  double ratio() {
    return dirtyBytes == 0 ? 0 : (double) dirtyBytes / (dirtyBytes + cleanBytes);
  }

  boolean due(CompactionPolicy policy) {
    return dirtyBytes > 0 && (overdue || ratio() >= policy.dirtyRatioMin());
  }

  /**
   * Looks at what the view names; costs a small read of the first dirty segment if {@code
   * max.compaction.lag.ms} is set.
   *
   * @param read the first so many bytes of a segment
   */
  static CompletableFuture<Dirt> of(
      ManifestView view,
      CompactionPolicy policy,
      long nowMs,
      Function<SegmentEntry, CompletableFuture<ByteBuffer>> read) {
    long from = Math.max(view.startOffset(), view.compaction().cleanedOffset());
    return new Look(view, policy, nowMs, from).walk(from).thenCompose(look -> look.result(read));
  }

  /** A walk over the segments from the first dirty one on. */
  private static final class Look {
    private final ManifestView view;
    private final CompactionPolicy policy;
    private final long nowMs;
    private final long from;
    private @Nullable SegmentEntry first;
    private long end;
    private long dirtyBytes;
    private long youngBytes;

    Look(ManifestView view, CompactionPolicy policy, long nowMs, long from) {
      this.view = view;
      this.policy = policy;
      this.nowMs = nowMs;
      this.from = from;
      this.end = from;
    }

    CompletableFuture<Look> walk(long offset) {
      if (offset >= view.endOffset()) {
        return CompletableFuture.completedFuture(this);
      }
      return view.from(offset, PAGE)
          .thenCompose(
              entries -> {
                entries.forEach(this::take);
                return entries.size() < PAGE
                    ? CompletableFuture.completedFuture(this)
                    : walk(last(entries).endOffset());
              });
    }

    private void take(SegmentEntry entry) {
      boolean young = policy.lagMinMs() > 0 && entry.maxTimestamp() > nowMs - policy.lagMinMs();
      if (young || youngBytes > 0) {
        youngBytes += entry.lengthBytes();
        return;
      }
      first = first == null ? entry : first;
      dirtyBytes += entry.lengthBytes();
      end = entry.endOffset();
    }

    CompletableFuture<Dirt> result(Function<SegmentEntry, CompletableFuture<ByteBuffer>> read) {
      SegmentEntry oldest = first;
      boolean limited = policy.lagMaxMs() < Long.MAX_VALUE;
      if (oldest == null || !limited || oldest.dataBytes() < BatchHeader.BYTES) {
        return CompletableFuture.completedFuture(dirt(false));
      }
      return read.apply(oldest)
          .thenApply(
              head -> dirt(nowMs - BatchHeader.parse(head).maxTimestamp() > policy.lagMaxMs()));
    }

    private Dirt dirt(boolean overdue) {
      return new Dirt(from, end, dirtyBytes, view.sizeBytes() - dirtyBytes - youngBytes, overdue);
    }

    private static SegmentEntry last(List<SegmentEntry> entries) {
      return entries.get(entries.size() - 1);
    }
  }
}

package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/** How much an index holds from an offset on; costs at most one page per level. */
public record Held(int segments, long segmentBytes) {
  private static final Held NOTHING = new Held(0, 0);

  public static CompletableFuture<Held> from(
      TierIndex index, long startOffset, Function<PageRef, CompletableFuture<IndexPage>> loader) {
    return below(index.pages(), startOffset, loader)
        .thenApply(pages -> pages.plus(of(index.segments(), startOffset)));
  }

  private static CompletableFuture<Held> below(
      List<PageRef> pages,
      long startOffset,
      Function<PageRef, CompletableFuture<IndexPage>> loader) {
    CompletableFuture<Held> sum = CompletableFuture.completedFuture(NOTHING);
    for (PageRef page : pages) {
      if (page.baseOffset() >= startOffset) {
        Held whole = new Held(page.segments(), page.segmentBytes());
        sum = sum.thenApply(whole::plus);
      } else if (page.endOffset() > startOffset) {
        CompletableFuture<Held> part =
            loader
                .apply(page)
                .thenCompose(
                    read ->
                        below(read.pages(), startOffset, loader)
                            .thenApply(held -> held.plus(of(read.segments(), startOffset))));
        sum = sum.thenCombine(part, Held::plus);
      }
    }
    return sum;
  }

  private static Held of(List<SegmentEntry> segments, long startOffset) {
    Held held = NOTHING;
    for (SegmentEntry segment : segments) {
      if (segment.endOffset() > startOffset) {
        held = held.plus(new Held(1, segment.lengthBytes()));
      }
    }
    return held;
  }

  private Held plus(Held other) {
    return new Held(segments + other.segments, segmentBytes + other.segmentBytes);
  }
}

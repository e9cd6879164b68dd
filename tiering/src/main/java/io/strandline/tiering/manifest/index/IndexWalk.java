package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;

/**
 * One walk over an index in the order of offsets, fetching pages as it meets them. Neither the
 * depth of the stack nor the memory grows with what it passes over.
 */
public final class IndexWalk {
  /** Which pages to enter, which segments to take, how many at most. */
  public record Wanted(Predicate<PageRef> page, Predicate<SegmentEntry> segment, int max) {}

  private final Function<PageRef, CompletableFuture<IndexPage>> loader;
  private final Wanted wanted;
  private final Deque<Iterator<PageRef>> pages = new ArrayDeque<>();
  private final List<SegmentEntry> tail;
  private final List<SegmentEntry> found = new ArrayList<>();

  private IndexWalk(
      List<PageRef> top,
      List<SegmentEntry> tail,
      Function<PageRef, CompletableFuture<IndexPage>> loader,
      Wanted wanted) {
    this.loader = loader;
    this.wanted = wanted;
    this.tail = tail;
    pages.push(top.iterator());
  }

  /** The first segments wanted. */
  public static CompletableFuture<List<SegmentEntry>> over(
      TierIndex index, Function<PageRef, CompletableFuture<IndexPage>> loader, Wanted wanted) {
    return new IndexWalk(index.pages(), index.segments(), loader, wanted).walk();
  }

  /** The same below one page. */
  public static CompletableFuture<List<SegmentEntry>> over(
      PageRef page, Function<PageRef, CompletableFuture<IndexPage>> loader, Wanted wanted) {
    return new IndexWalk(List.of(page), List.of(), loader, wanted).walk();
  }

  private CompletableFuture<List<SegmentEntry>> walk() {
    while (!pages.isEmpty() && found.size() < wanted.max()) {
      Iterator<PageRef> here = pages.element();
      if (!here.hasNext()) {
        pages.pop();
        continue;
      }
      PageRef ref = here.next();
      if (!wanted.page().test(ref)) {
        continue;
      }
      CompletableFuture<IndexPage> loading = loader.apply(ref);
      if (!loading.isDone() || loading.isCompletedExceptionally()) {
        return loading.thenCompose(
            page -> {
              enter(page);
              return walk();
            });
      }
      enter(loading.join());
    }
    take(tail);
    return CompletableFuture.completedFuture(found);
  }

  private void enter(IndexPage page) {
    take(page.segments());
    pages.push(page.pages().iterator());
  }

  private void take(List<SegmentEntry> segments) {
    for (SegmentEntry segment : segments) {
      if (found.size() < wanted.max() && wanted.segment().test(segment)) {
        found.add(segment);
      }
    }
  }
}

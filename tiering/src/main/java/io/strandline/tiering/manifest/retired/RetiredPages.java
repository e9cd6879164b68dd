package io.strandline.tiering.manifest.retired;

import io.strandline.tiering.manifest.index.IndexGrowth;
import io.strandline.tiering.manifest.index.IndexPage;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.retired.RetiredRun.Listed;
import io.strandline.tiering.manifest.retired.RetiredRun.Named;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Moves retired segments that stand in a head by name into pages of their own when they are too
 * many. A page is filled up as long as the time stays the same, so that there are about as many
 * runs as full pages.
 */
public final class RetiredPages {
  private final IndexGrowth growth;
  private final Function<PageRef, CompletableFuture<IndexPage>> loader;

  public RetiredPages(IndexGrowth growth, Function<PageRef, CompletableFuture<IndexPage>> loader) {
    this.growth = growth;
    this.loader = loader;
  }

  /** Neighbouring runs, {@code from} to {@code to} of a list, that name their segments. */
  private record Stretch(int from, int to, List<SegmentEntry> segments, long sinceMs) {}

  /** How many segments stand in the runs by name. */
  public static int namedSegments(List<RetiredRun> runs) {
    return runs.stream()
        .mapToInt(run -> run instanceof Named named ? named.segments().size() : 0)
        .sum();
  }

  /** The same with at most so many by name; all pages are durable. */
  public CompletableFuture<List<RetiredRun>> bounded(List<RetiredRun> runs, int namedMax) {
    if (namedSegments(runs) <= namedMax) {
      return CompletableFuture.completedFuture(runs);
    }
    Stretch longest = longestNamed(runs);
    RetiredRun before = longest.from() == 0 ? null : runs.get(longest.from() - 1);
    if (before instanceof Listed listed
        && listed.sinceMs() == longest.sinceMs()
        && listed.count() < growth.pageItems()) {
      return loader
          .apply(listed.page())
          .thenCompose(page -> moved(runs, longest, longest.from() - 1, listed.left(page)))
          .thenCompose(fewer -> bounded(fewer, namedMax));
    }
    return moved(runs, longest, longest.from(), List.of())
        .thenCompose(fewer -> bounded(fewer, namedMax));
  }

  /** The list with a page, what it held before first, in the place of the runs from {@code at}. */
  private CompletableFuture<List<RetiredRun>> moved(
      List<RetiredRun> runs, Stretch stretch, int at, List<SegmentEntry> first) {
    List<SegmentEntry> segments = stretch.segments();
    int count = Math.min(segments.size(), growth.pageItems() - first.size());
    List<SegmentEntry> paged = new ArrayList<>(first);
    paged.addAll(segments.subList(0, count));
    return growth
        .page(paged)
        .thenApply(
            page -> {
              List<RetiredRun> moved = new ArrayList<>(runs.subList(0, at));
              moved.add(new Listed(page, 0, stretch.sinceMs()));
              if (count < segments.size()) {
                moved.add(new Named(segments.subList(count, segments.size()), stretch.sinceMs()));
              }
              moved.addAll(runs.subList(stretch.to(), runs.size()));
              return moved;
            });
  }

  /** The longest stretch of neighbours that name their segments; its time is its youngest's. */
  private static Stretch longestNamed(List<RetiredRun> runs) {
    Stretch longest = new Stretch(0, 0, List.of(), 0);
    for (int from = 0; from < runs.size(); ) {
      List<SegmentEntry> segments = new ArrayList<>();
      long sinceMs = 0;
      int to = from;
      while (to < runs.size() && runs.get(to) instanceof Named named) {
        segments.addAll(named.segments());
        sinceMs = Math.max(sinceMs, named.sinceMs());
        to++;
      }
      if (segments.size() > longest.segments().size()) {
        longest = new Stretch(from, to, segments, sinceMs);
      }
      from = to + 1;
    }
    return longest;
  }
}

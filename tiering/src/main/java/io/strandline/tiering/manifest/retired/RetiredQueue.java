package io.strandline.tiering.manifest.retired;

import io.strandline.tiering.manifest.index.IndexPage;
import io.strandline.tiering.manifest.index.IndexWalk;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.index.TierIndex;
import io.strandline.tiering.manifest.retired.RetiredRun.Listed;
import io.strandline.tiering.manifest.retired.RetiredRun.Named;
import io.strandline.tiering.manifest.retired.RetiredRun.Paged;
import io.strandline.tiering.segment.SegmentEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;

/** A version's retired segments, first in, first out. Immutable; threads: any. */
public final class RetiredQueue {
  /** What is left after some were forgotten. */
  public record Left(List<RetiredRun> runs, int forgotten) {}

  private final List<RetiredRun> runs;
  private final Function<PageRef, CompletableFuture<IndexPage>> loader;

  public RetiredQueue(
      List<RetiredRun> runs, Function<PageRef, CompletableFuture<IndexPage>> loader) {
    this.runs = runs;
    this.loader = loader;
  }

  /** At most so many of the oldest, of those retired at or before a time. */
  public CompletableFuture<List<RetiredSegment>> due(long latestMs, int max) {
    return due(0, latestMs, max, new ArrayList<>());
  }

  private CompletableFuture<List<RetiredSegment>> due(
      int at, long latestMs, int max, List<RetiredSegment> found) {
    if (at == runs.size() || found.size() >= max || runs.get(at).sinceMs() > latestMs) {
      return CompletableFuture.completedFuture(List.copyOf(found));
    }
    RetiredRun run = runs.get(at);
    return segments(run, max - found.size())
        .thenCompose(
            segments -> {
              Instant since = Instant.ofEpochMilli(run.sinceMs());
              segments.forEach(segment -> found.add(new RetiredSegment(segment, since)));
              return due(at + 1, latestMs, max, found);
            });
  }

  /** Without the longest run of the oldest of which all are among these. */
  public CompletableFuture<Left> without(Set<SegmentEntry> gone) {
    return without(0, gone, 0);
  }

  private CompletableFuture<Left> without(int at, Set<SegmentEntry> gone, int forgotten) {
    if (at == runs.size()) {
      return CompletableFuture.completedFuture(new Left(List.of(), forgotten));
    }
    RetiredRun run = runs.get(at);
    return segments(run, gone.size() + 1)
        .thenCompose(
            segments -> {
              int count = 0;
              while (count < segments.size() && gone.contains(segments.get(count))) {
                count++;
              }
              if (count == segments.size()) {
                return without(at + 1, gone, forgotten + count);
              }
              List<RetiredRun> left = new ArrayList<>(runs.subList(at, runs.size()));
              left.set(0, tail(run, segments, count));
              return CompletableFuture.completedFuture(new Left(left, forgotten + count));
            });
  }

  private static RetiredRun tail(RetiredRun run, List<SegmentEntry> segments, int from) {
    if (run instanceof Paged paged) {
      long fromOffset = segments.get(from).baseOffset();
      return new Paged(paged.page(), fromOffset, paged.toOffset(), paged.sinceMs());
    }
    if (run instanceof Listed listed) {
      return new Listed(listed.page(), listed.forgotten() + from, listed.sinceMs());
    }
    List<SegmentEntry> named = ((Named) run).segments();
    return new Named(named.subList(from, named.size()), run.sinceMs());
  }

  /**
   * With what an index holds from one offset to another, both of them where segments begin.
   *
   * <p>What joins the last run, same page and same time, makes no new one.
   */
  public List<RetiredRun> with(TierIndex index, long fromOffset, long toOffset, long sinceMs) {
    List<RetiredRun> all = new ArrayList<>(runs);
    for (PageRef page : index.pages()) {
      long from = Math.max(page.baseOffset(), fromOffset);
      long to = Math.min(page.endOffset(), toOffset);
      if (from < to) {
        append(all, new Paged(page, from, to, sinceMs));
      }
    }
    List<SegmentEntry> named =
        index.segments().stream()
            .filter(entry -> entry.baseOffset() >= fromOffset && entry.endOffset() <= toOffset)
            .toList();
    if (!named.isEmpty()) {
      name(all, named, sinceMs);
    }
    return all;
  }

  /**
   * With these by name: what was replaced leaves the page where it stood, and the next page that
   * takes its place too, so that a reference would be one run for every replacement.
   */
  public List<RetiredRun> with(List<SegmentEntry> replaced, long sinceMs) {
    List<RetiredRun> all = new ArrayList<>(runs);
    name(all, replaced, sinceMs);
    return all;
  }

  private static void append(List<RetiredRun> all, Paged run) {
    RetiredRun last = all.isEmpty() ? null : all.get(all.size() - 1);
    if (last instanceof Paged a
        && a.page().equals(run.page())
        && a.sinceMs() == run.sinceMs()
        && a.toOffset() == run.fromOffset()) {
      all.set(all.size() - 1, new Paged(a.page(), a.fromOffset(), run.toOffset(), a.sinceMs()));
    } else {
      all.add(run);
    }
  }

  /** Among runs of one time the order is free: any of them may take more. */
  private static void name(List<RetiredRun> all, List<SegmentEntry> segments, long sinceMs) {
    for (int at = all.size() - 1; at >= 0 && all.get(at).sinceMs() == sinceMs; at--) {
      if (all.get(at) instanceof Named named) {
        List<SegmentEntry> both = new ArrayList<>(named.segments());
        both.addAll(segments);
        all.set(at, new Named(both, sinceMs));
        return;
      }
    }
    all.add(new Named(segments, sinceMs));
  }

  private CompletableFuture<List<SegmentEntry>> segments(RetiredRun run, int max) {
    if (run instanceof Paged paged) {
      Predicate<PageRef> touched = paged::touches;
      return IndexWalk.over(paged.page(), loader, new IndexWalk.Wanted(touched, paged::holds, max));
    }
    if (run instanceof Listed listed) {
      return loader
          .apply(listed.page())
          .thenApply(page -> listed.left(page).subList(0, Math.min(max, listed.count())));
    }
    List<SegmentEntry> named = ((Named) run).segments();
    return CompletableFuture.completedFuture(named.subList(0, Math.min(max, named.size())));
  }
}

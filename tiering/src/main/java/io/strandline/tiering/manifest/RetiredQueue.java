package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.RetiredRun.Named;
import io.strandline.tiering.manifest.RetiredRun.Paged;
import io.strandline.tiering.manifest.index.IndexPage;
import io.strandline.tiering.manifest.index.IndexWalk;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.index.TierIndex;
import io.strandline.tiering.segment.SegmentEntry;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import java.util.function.Predicate;

/** A version's retired segments, first in, first out. Immutable; threads: any. */
final class RetiredQueue {
  /** What is left after some were forgotten. */
  record Left(List<RetiredRun> runs, int forgotten) {}

  /** Neighbouring runs, {@code from} to {@code to} of a list, that name their segments. */
  record Stretch(int from, int to, List<SegmentEntry> segments, long sinceMs) {
    /** The list with the first {@code count} segments of this stretch moved to a page. */
    List<RetiredRun> replacedBy(List<RetiredRun> runs, PageRef page, int count) {
      List<RetiredRun> replaced = new ArrayList<>(runs.subList(0, from));
      replaced.add(new Paged(page, page.baseOffset(), page.endOffset(), sinceMs));
      if (count < segments.size()) {
        replaced.add(new Named(segments.subList(count, segments.size()), sinceMs));
      }
      replaced.addAll(runs.subList(to, runs.size()));
      return replaced;
    }
  }

  private final List<RetiredRun> runs;
  private final Function<PageRef, CompletableFuture<IndexPage>> loader;

  RetiredQueue(List<RetiredRun> runs, Function<PageRef, CompletableFuture<IndexPage>> loader) {
    this.runs = runs;
    this.loader = loader;
  }

  /** At most so many of the oldest, of those retired at or before a time. */
  CompletableFuture<List<RetiredSegment>> due(long latestMs, int max) {
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
  CompletableFuture<Left> without(Set<SegmentEntry> gone) {
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
    List<SegmentEntry> named = ((Named) run).segments();
    return new Named(named.subList(from, named.size()), run.sinceMs());
  }

  /**
   * With what an index holds from one offset to another, both of them where segments begin.
   *
   * <p>What joins the last run, same page and same time, makes no new one.
   */
  List<RetiredRun> with(TierIndex index, long fromOffset, long toOffset, long sinceMs) {
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
      append(all, new Named(named, sinceMs));
    }
    return all;
  }

  private static void append(List<RetiredRun> all, RetiredRun run) {
    RetiredRun last = all.isEmpty() ? null : all.get(all.size() - 1);
    if (last instanceof Paged a
        && run instanceof Paged b
        && a.page().equals(b.page())
        && a.sinceMs() == b.sinceMs()
        && a.toOffset() == b.fromOffset()) {
      all.set(all.size() - 1, new Paged(a.page(), a.fromOffset(), b.toOffset(), a.sinceMs()));
    } else if (last instanceof Named a && run instanceof Named b && a.sinceMs() == b.sinceMs()) {
      List<SegmentEntry> both = new ArrayList<>(a.segments());
      both.addAll(b.segments());
      all.set(all.size() - 1, new Named(both, a.sinceMs()));
    } else {
      all.add(run);
    }
  }

  static int namedSegments(List<RetiredRun> runs) {
    return runs.stream()
        .mapToInt(run -> run instanceof Named named ? named.segments().size() : 0)
        .sum();
  }

  /** The longest stretch of neighbours that name their segments; its time is its youngest's. */
  static Stretch longestNamed(List<RetiredRun> runs) {
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

  private CompletableFuture<List<SegmentEntry>> segments(RetiredRun run, int max) {
    if (run instanceof Paged paged) {
      Predicate<PageRef> touched = paged::touches;
      return IndexWalk.over(paged.page(), loader, new IndexWalk.Wanted(touched, paged::holds, max));
    }
    List<SegmentEntry> named = ((Named) run).segments();
    return CompletableFuture.completedFuture(named.subList(0, Math.min(max, named.size())));
  }
}

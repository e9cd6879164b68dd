package io.strandline.replay;

import io.strandline.replay.Replay.TimestampedOffset;
import io.strandline.replay.decode.BatchCutter;
import io.strandline.replay.decode.ByteRun;
import io.strandline.replay.decode.TimestampScan;
import io.strandline.replay.fetch.Indexes;
import io.strandline.replay.fetch.ReadStream;
import io.strandline.replay.fetch.Streams;
import io.strandline.replay.fetch.Window;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.Iterator;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.LongFunction;

/**
 * The first record that reaches a timestamp: the manifest names the segment, its time index the
 * place, the batch headers the batch, and only that batch is decompressed.
 */
final class TimestampLookup {
  private static final String READER = "timestamp-lookup";
  private static final int PAGE_SEGMENTS = 64;

  private record Search(
      ManifestView view, ReadStream stream, long fromOffset, long timestampMs, BatchBounds bounds) {
    TimestampScan scan() {
      return new TimestampScan(fromOffset, timestampMs, bounds);
    }
  }

  private final Streams streams;
  private final Indexes indexes;
  private final Executor executor;
  private final BatchBounds bounds;

  TimestampLookup(Streams streams, Indexes indexes, Executor executor, BatchBounds bounds) {
    this.streams = streams;
    this.indexes = indexes;
    this.executor = executor;
    this.bounds = bounds;
  }

  CompletableFuture<Optional<TimestampedOffset>> find(
      ManifestView view, long fromOffset, long timestampMs) {
    long from = Math.max(fromOffset, view.startOffset());
    if (from >= view.endOffset()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    ReadStream stream = streams.once(READER);
    Search search = new Search(view, stream, from, timestampMs, bounds);
    return view.firstReaching(timestampMs)
        .thenComposeAsync(
            entry ->
                entry.isEmpty()
                    ? CompletableFuture.completedFuture(Optional.<TimestampedOffset>empty())
                    : page(search, Math.max(from, entry.get().baseOffset())),
            executor)
        .whenComplete((found, failure) -> streams.end(stream));
  }

  /**
   * The first of the records with the largest timestamp, unless that is below the one asked for.
   * What the manifest says of a segment may be true of a record below the offset only: then the
   * largest is found by halving.
   */
  CompletableFuture<Optional<TimestampedOffset>> latest(
      ManifestView view, long fromOffset, long timestampMs) {
    long wantedMs = Math.max(0, timestampMs);
    return view.maxTimestampSegment()
        .thenComposeAsync(
            newest -> {
              long largestMs = newest.map(SegmentEntry::maxTimestamp).orElse(-1L);
              return halve(
                  largestMs,
                  new Range(wantedMs, largestMs),
                  Optional.empty(),
                  ms -> find(view, fromOffset, ms));
            },
            executor);
  }

  /**
   * Of timestamps.
   *
   * @param fromMs no smaller one is wanted
   * @param lastMs none is larger
   */
  private record Range(long fromMs, long lastMs) {}

  private interface Finder extends LongFunction<CompletableFuture<Optional<TimestampedOffset>>> {}

  private CompletableFuture<Optional<TimestampedOffset>> halve(
      long triedMs, Range range, Optional<TimestampedOffset> best, Finder finder) {
    if (range.fromMs > range.lastMs) {
      return CompletableFuture.completedFuture(best);
    }
    return finder
        .apply(triedMs)
        .thenComposeAsync(
            found -> {
              if (found.isPresent() && found.get().timestampMs() >= range.lastMs) {
                return CompletableFuture.completedFuture(found);
              }
              Range rest =
                  found
                      .map(hit -> new Range(hit.timestampMs() + 1, range.lastMs))
                      .orElseGet(() -> new Range(range.fromMs, triedMs - 1));
              long middleMs = rest.fromMs + (rest.lastMs - rest.fromMs) / 2;
              return halve(middleMs, rest, found.or(() -> best), finder);
            },
            executor);
  }

  private CompletableFuture<Optional<TimestampedOffset>> page(Search search, long offset) {
    if (offset >= search.view.endOffset()) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    return search
        .view
        .from(offset, PAGE_SEGMENTS)
        .thenComposeAsync(
            entries ->
                entries.isEmpty()
                    ? CompletableFuture.completedFuture(Optional.<TimestampedOffset>empty())
                    : first(search, entries, entries.iterator()),
            executor);
  }

  private CompletableFuture<Optional<TimestampedOffset>> first(
      Search search, List<SegmentEntry> page, Iterator<SegmentEntry> rest) {
    while (rest.hasNext()) {
      SegmentEntry entry = rest.next();
      if (entry.maxTimestamp() >= search.timestampMs) {
        return inSegment(search, entry)
            .thenComposeAsync(
                found ->
                    found.isPresent()
                        ? CompletableFuture.completedFuture(found)
                        : first(search, page, rest),
                executor);
      }
    }
    return page(search, page.get(page.size() - 1).endOffset());
  }

  private CompletableFuture<Optional<TimestampedOffset>> inSegment(
      Search search, SegmentEntry entry) {
    return indexes
        .of(entry)
        .thenComposeAsync(
            index -> {
              long byTime = index.positionReaching(search.timestampMs);
              long byOffset =
                  search.fromOffset <= entry.baseOffset() ? 0 : index.positionOf(search.fromOffset);
              return scan(search, entry, Math.max(byTime, byOffset), 1);
            },
            executor)
        .whenComplete(
            (found, failure) -> {
              if (Failures.mayBeBadBytes(failure)) {
                streams.forget(entry);
                indexes.forget(entry);
              }
            });
  }

  private CompletableFuture<Optional<TimestampedOffset>> scan(
      Search search, SegmentEntry entry, long positionBytes, int neededBytes) {
    long restBytes = entry.dataBytes() - positionBytes;
    if (restBytes <= 0) {
      return CompletableFuture.completedFuture(Optional.empty());
    }
    int min = (int) Math.min(neededBytes, restBytes);
    return search
        .stream
        .window(entry, positionBytes, min, min, () -> false)
        .thenComposeAsync(
            window -> {
              TimestampScan.Step step = step(search, window, restBytes, entry);
              if (step.found().isPresent() || step.neededBytes() == 0) {
                return CompletableFuture.completedFuture(
                    step.found().map(found -> answer(search, entry, found)));
              }
              return scan(
                  search,
                  entry,
                  positionBytes + step.scannedBytes(),
                  step.neededBytes() - step.scannedBytes());
            },
            executor);
  }

  private static TimestampScan.Step step(
      Search search, Window window, long restBytes, SegmentEntry entry) {
    try (window) {
      BatchCutter.Bounds bounds = new BatchCutter.Bounds(entry.baseOffset(), entry.endOffset());
      return search.scan().scan(new ByteRun(window.bytes()), restBytes, bounds);
    }
  }

  private static TimestampedOffset answer(
      Search search, SegmentEntry entry, TimestampScan.Found found) {
    boolean ours = entry.appendedTo(search.view.partition());
    int epoch = ours ? found.leaderEpoch() : SegmentEntry.FOREIGN_EPOCH;
    return new TimestampedOffset(found.offset(), found.timestampMs(), epoch);
  }
}

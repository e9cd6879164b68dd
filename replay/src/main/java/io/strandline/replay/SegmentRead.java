package io.strandline.replay;

import io.strandline.replay.decode.BatchCut;
import io.strandline.replay.decode.BatchCutter;
import io.strandline.replay.decode.ByteRun;
import io.strandline.replay.decode.LawfulEpoch;
import io.strandline.replay.fetch.Indexes;
import io.strandline.replay.fetch.ReadStream;
import io.strandline.replay.fetch.ReadStream.Cursor;
import io.strandline.replay.fetch.Streams;
import io.strandline.replay.fetch.Window;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormatException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/** One read: from an offset in a view to whole batches of one segment. */
final class SegmentRead {
  /** A place to read from and how much is needed there at least. */
  private record Try(ReadStream stream, ReplayRequest request, ManifestView view, Cursor from) {
    long restBytes() {
      return from.entry().dataBytes() - from.positionBytes();
    }

    BatchCutter.Bounds bounds() {
      return new BatchCutter.Bounds(from.offset(), from.entry().endOffset());
    }
  }

  private final Streams streams;
  private final Indexes indexes;
  private final Executor executor;
  private final int readBytesMax;

  SegmentRead(Streams streams, Indexes indexes, Executor executor, int readBytesMax) {
    this.streams = streams;
    this.indexes = indexes;
    this.executor = executor;
    this.readBytesMax = readBytesMax;
  }

  /** Batches from the request's offset, which lies within the view. */
  CompletableFuture<ReplayRead> read(ReadStream stream, ReplayRequest request, ManifestView view) {
    return locate(stream, request.offset(), view)
        .thenComposeAsync(from -> attempt(new Try(stream, request, view, from), 1), executor);
  }

  /** Forgets what is cached of the segment that covers the offset. */
  CompletableFuture<Void> forget(ReadStream stream, ManifestView view, long offset) {
    Optional<Cursor> cursor = stream.resume(offset);
    stream.forget();
    if (cursor.isPresent()) {
      forget(cursor.get().entry());
      return CompletableFuture.completedFuture(null);
    }
    return view.from(offset, 1).thenAccept(entries -> entries.forEach(this::forget));
  }

  private void forget(SegmentEntry entry) {
    streams.forget(entry);
    indexes.forget(entry);
  }

  private CompletableFuture<Cursor> locate(ReadStream stream, long offset, ManifestView view) {
    Optional<Cursor> resumed = stream.resume(offset);
    if (resumed.isPresent() && resumed.get().positionBytes() < resumed.get().entry().dataBytes()) {
      return CompletableFuture.completedFuture(resumed.get());
    }
    if (resumed.isEmpty()) {
      stream.jumped();
    }
    return view.from(offset, 1)
        .thenCompose(entries -> place(entries, offset))
        .thenApply(
            from -> {
              stream.begins(offset, from);
              return from;
            });
  }

  private CompletableFuture<Cursor> place(List<SegmentEntry> entries, long offset) {
    if (entries.isEmpty()) {
      throw new SegmentFormatException("the manifest's index has no segment for " + offset);
    }
    SegmentEntry entry = entries.get(0);
    if (offset < entry.baseOffset()) {
      throw gap(offset, entry);
    }
    if (offset == entry.baseOffset()) {
      return CompletableFuture.completedFuture(new Cursor(entry, 0, offset));
    }
    return indexes
        .of(entry)
        .thenApply(index -> new Cursor(entry, index.positionOf(offset), entry.baseOffset()));
  }

  private CompletableFuture<ReplayRead> attempt(Try t, int neededBytes) {
    if (t.restBytes() <= 0) {
      return beyond(t);
    }
    int wanted = Math.max(neededBytes, Math.min(t.request.maxBytes(), readBytesMax));
    int min = (int) Math.min(neededBytes, t.restBytes());
    return t.stream
        .window(t.from.entry(), t.from.positionBytes(), min, wanted, t.request.gone())
        .thenCompose(window -> decode(t, window));
  }

  private CompletableFuture<ReplayRead> decode(Try t, Window window) {
    boolean kept = false;
    try {
      ByteRun run = new ByteRun(window.bytes());
      int maxBytes = Math.min(t.request.maxBytes(), readBytesMax);
      BatchCut cut =
          new BatchCutter(run, t.restBytes(), t.bounds())
              .cut(
                  new BatchCutter.Limits(
                      t.request.offset(),
                      t.request.endOffset(),
                      maxBytes,
                      t.request.atLeastOneBatch()));
      if (cut.neededBytes() > 0) {
        return attempt(t, cut.neededBytes());
      }
      if (cut.isEmpty()) {
        return cut.atEnd() ? beyond(t) : CompletableFuture.completedFuture(nothing(t.request));
      }
      kept = true;
      return answer(t, cut, run, window);
    } finally {
      if (!kept) {
        window.close();
      }
    }
  }

  private CompletableFuture<ReplayRead> answer(Try t, BatchCut cut, ByteRun run, Window window) {
    Cursor next = new Cursor(t.from.entry(), t.from.positionBytes() + cut.to(), cut.nextOffset());
    if (t.request.gone().getAsBoolean()) {
      t.stream.untaken();
    } else {
      t.stream.advanced(next, t.view);
    }
    CompletableFuture<ReplayRead> read =
        aborted(t, cut)
            .thenApply(
                aborted ->
                    new BatchRead(
                        slices(t, cut, run), cut.sizeBytes(), cut.nextOffset(), aborted, window));
    return read.whenComplete(
        (done, failure) -> {
          if (failure != null) {
            window.close();
          }
        });
  }

  private static List<ByteBuffer> slices(Try t, BatchCut cut, ByteRun run) {
    return t.from.entry().appendedTo(t.request.partition())
        ? run.slices(cut.from(), cut.to())
        : LawfulEpoch.slices(run, cut.from(), cut.to());
  }

  private CompletableFuture<List<ReplayRead.AbortedRange>> aborted(Try t, BatchCut cut) {
    if (!t.request.abortedTransactions() || !t.from.entry().abortedTransactions()) {
      return CompletableFuture.completedFuture(List.of());
    }
    return indexes
        .of(t.from.entry())
        .thenApply(
            index ->
                index.abortedTransactions(t.request.offset(), cut.nextOffset()).stream()
                    .map(a -> new ReplayRead.AbortedRange(a.producerId(), a.firstOffset()))
                    .toList());
  }

  /** Asked for one batch at least, none came: the next begins at or above the end, after a gap. */
  private static ReplayRead nothing(ReplayRequest request) {
    return BatchRead.empty(
        request.atLeastOneBatch()
            ? Math.max(request.offset(), request.endOffset())
            : request.offset());
  }

  /** This segment has no batch at or above the offset, as after compaction: the next may. */
  private CompletableFuture<ReplayRead> beyond(Try t) {
    long end = t.from.entry().endOffset();
    if (end >= t.view.endOffset() || end >= t.request.endOffset()) {
      return CompletableFuture.completedFuture(BatchRead.empty(Math.max(t.request.offset(), end)));
    }
    return t.view
        .from(end, 1)
        .thenComposeAsync(
            entries -> {
              if (entries.isEmpty()) {
                return CompletableFuture.completedFuture(BatchRead.empty(t.request.offset()));
              }
              // Compaction may have made one segment of this and what follows: it begins far below.
              return place(entries, Math.max(t.request.offset(), end))
                  .thenComposeAsync(
                      from -> {
                        t.stream.begins(t.request.offset(), from);
                        return attempt(new Try(t.stream, t.request, t.view, from), 1);
                      },
                      executor);
            },
            executor);
  }

  /** To go on behind what no segment covers would be to skip it silently. */
  private static SegmentFormatException gap(long from, SegmentEntry next) {
    return new SegmentFormatException(
        "no segment covers "
            + from
            + " to "
            + (next.baseOffset() - 1)
            + ", before "
            + next.object());
  }
}

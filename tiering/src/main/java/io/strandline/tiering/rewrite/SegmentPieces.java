package io.strandline.tiering.rewrite;

import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.BatchScan;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.segment.SegmentIndex;
import io.strandline.tiering.store.ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Reads a tiered segment's batches in pieces, one after another, one in memory at a time. Every
 * batch has the bytes that its checksum tells before it is given out.
 *
 * @param executor where pieces are used
 * @param pieceBytes of one read; more for a batch that is longer
 * @param batchBytesMax a batch longer than this is taken as corrupt
 * @param left whether leadership has ended: the walk then fails with {@link LeftException}
 */
record SegmentPieces(
    ObjectStore store, Executor executor, int pieceBytes, int batchBytesMax, BooleanSupplier left) {

  /** What is done with a piece. */
  @FunctionalInterface
  interface Use {
    /**
     * @param batches whole ones
     * @param endOffset offset after the last of them; the segment's for its last piece
     * @return whether to go on
     */
    boolean take(ByteBuffer batches, long endOffset) throws IOException;
  }

  /** The segment's own indexes. */
  CompletableFuture<SegmentIndex> index(SegmentEntry entry) {
    return tail(entry).thenApplyAsync(tail -> SegmentFormat.decode(entry, tail), executor);
  }

  /** What follows the batches. */
  CompletableFuture<ByteBuffer> tail(SegmentEntry entry) {
    return store.get(
        entry.object(), SegmentFormat.tailPositionBytes(entry), SegmentFormat.tailBytes(entry));
  }

  /**
   * Gives all pieces to the use, in order.
   *
   * @return whether all uses said to go on; fails with {@link SegmentFormatException} if the bytes
   *     are not what was put
   */
  CompletableFuture<Boolean> each(SegmentEntry entry, Use use) {
    Walk walk = new Walk(entry, use);
    walk.next(pieceBytes);
    return walk.done;
  }

  /** A loop without a stack: each piece, once used, asks for the next. */
  private final class Walk {
    private final SegmentEntry entry;
    private final Use use;
    private final CompletableFuture<Boolean> done = new CompletableFuture<>();
    private long at;
    private long nextOffset;

    Walk(SegmentEntry entry, Use use) {
      this.entry = entry;
      this.use = use;
      this.nextOffset = entry.baseOffset();
    }

    void next(int bytes) {
      long restBytes = entry.dataBytes() - at;
      if (restBytes == 0) {
        done.complete(true);
        return;
      }
      int length = (int) Math.min(bytes, restBytes);
      CompletableFuture<?> unused =
          store
              .get(entry.object(), entry.positionBytes() + at, length)
              .whenCompleteAsync(this::got, executor)
              .whenComplete(this::ended);
    }

    private void got(@Nullable ByteBuffer bytes, @Nullable Throwable failure) {
      if (bytes == null) {
        done.completeExceptionally(failure == null ? new IllegalStateException() : failure);
        return;
      }
      try {
        if (left.getAsBoolean()) {
          throw new LeftException();
        }
        take(bytes.slice());
      } catch (IOException e) {
        done.completeExceptionally(new UncheckedIOException(e));
      } catch (RuntimeException | Error e) { // out of memory: who waits must not wait for ever
        done.completeExceptionally(e);
      }
    }

    /** The executor may have taken it no more. */
    private void ended(@Nullable ByteBuffer bytes, @Nullable Throwable failure) {
      if (failure != null) {
        done.completeExceptionally(failure);
      }
    }

    private void take(ByteBuffer bytes) throws IOException {
      int whole = wholeBytes(bytes);
      if (whole == 0) {
        next(longerPiece(bytes));
        return;
      }
      ByteBuffer batches = bytes.slice(0, whole);
      BatchScan scan =
          new BatchScan(
              nextOffset,
              entry.endOffset(),
              (header, position) -> {
                nextOffset = header.lastOffset() + 1;
              });
      scan.feed(batches.duplicate());
      scan.finish();
      at += whole;
      long end = at == entry.dataBytes() ? entry.endOffset() : nextOffset;
      if (use.take(batches, end)) {
        next(pieceBytes);
      } else {
        done.complete(false);
      }
    }

    private int wholeBytes(ByteBuffer bytes) {
      int whole = 0;
      while (bytes.limit() - whole >= BatchHeader.BYTES) {
        long end = whole + (long) BatchHeader.parse(bytes.position(whole)).sizeBytes();
        if (end > bytes.limit()) {
          break;
        }
        whole = (int) end;
      }
      return whole;
    }

    private int longerPiece(ByteBuffer bytes) {
      long restBytes = entry.dataBytes() - at;
      int size =
          bytes.limit() < BatchHeader.BYTES
              ? BatchHeader.BYTES
              : BatchHeader.parse(bytes.position(0)).sizeBytes();
      if (size > restBytes || size > batchBytesMax || size <= bytes.limit()) {
        throw new SegmentFormatException(
            "the batch at " + at + " of " + entry.object() + " has " + size + " bytes");
      }
      return size;
    }
  }
}

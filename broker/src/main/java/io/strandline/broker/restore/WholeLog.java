package io.strandline.broker.restore;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.log.segment.OffsetIndex;
import io.strandline.replay.Replay;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;

/**
 * Copies all that the tier holds of a partition into files of a log, batch for batch, one read
 * after another; at most one read is in memory. A file ends where it is full, and where the next
 * batch lies farther from its base than an index can tell: compaction leaves few bytes over many
 * offsets.
 */
final class WholeLog {
  private static final int READ_BYTES = 4 << 20;
  private static final long FILE_BYTES = 256L << 20;

  private final Replay replay;
  private final LogNursery nursery;
  private final Executor disk;
  private long baseOffset;
  private long positionBytes;

  WholeLog(Replay replay, LogNursery nursery, Executor disk) {
    this.replay = replay;
    this.nursery = nursery;
    this.disk = disk;
  }

  CompletableFuture<Void> copy(long fromOffset, long endOffset) {
    try {
      begin(fromOffset); // with or without a batch: the log is here from its start on
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return goOn(fromOffset, endOffset);
  }

  private void begin(long offset) throws IOException {
    baseOffset = offset;
    positionBytes = 0;
    try (Disk.File file = nursery.segment(offset)) {
      file.force();
    }
  }

  private CompletableFuture<Void> goOn(long offset, long endOffset) {
    if (offset >= endOffset) {
      return CompletableFuture.completedFuture(null);
    }
    ReplayRequest request =
        new ReplayRequest(
            nursery.partition(), offset, endOffset, READ_BYTES, true, false, "refill");
    return replay
        .read(request)
        .thenComposeAsync(
            read -> {
              long next = write(offset, read);
              // What compaction took away at the end has no batch.
              return goOn(next > offset ? next : endOffset, endOffset);
            },
            disk);
  }

  private long write(long offset, ReplayRead read) {
    try (read) {
      if (read.sizeBytes() == 0) {
        return read.nextOffset();
      }
      long last = read.nextOffset() - 1;
      boolean full = positionBytes > 0 && positionBytes + read.sizeBytes() > FILE_BYTES;
      if (full || !OffsetIndex.reaches(baseOffset, last)) {
        // Where the last one ended, unless the hole behind it is too wide itself.
        begin(OffsetIndex.reaches(offset, last) ? offset : firstOffset(read));
      }
      try (Disk.File file = nursery.segment(baseOffset)) {
        for (ByteBuffer slice : read.slices()) {
          int bytes = slice.remaining();
          file.write(slice.duplicate(), positionBytes);
          positionBytes += bytes;
        }
        file.force();
      }
      return read.nextOffset();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A batch begins with its offset; slices are cut anywhere. */
  private static long firstOffset(ReplayRead read) {
    ByteBuffer offset = ByteBuffer.allocate(Long.BYTES);
    for (ByteBuffer slice : read.slices()) {
      int bytes = Math.min(offset.remaining(), slice.remaining());
      offset.put(slice.slice(slice.position(), bytes));
    }
    return offset.flip().getLong();
  }
}

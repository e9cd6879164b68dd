package io.strandline.broker.log;

import io.strandline.broker.log.segment.LogSegment;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.jspecify.annotations.Nullable;

/**
 * Whole batches in a file, for sendfile or to be copied to memory. The file stays open, even when
 * its segment is deleted, until {@link #close}, which must be called once.
 *
 * <p>A truncation by a new leader may cut the region while it is read; a short read is then the
 * reader's signal to drop the connection.
 */
public final class LogRead implements AutoCloseable {
  private static final Path NOWHERE = Path.of("/dev/null");

  private final @Nullable LogSegment segment;
  private final @Nullable FileChannel channel;
  private final long positionBytes;
  private final int sizeBytes;
  private final long nextOffset;

  private LogRead(
      @Nullable LogSegment segment,
      @Nullable FileChannel channel,
      long positionBytes,
      int sizeBytes,
      long nextOffset) {
    this.segment = segment;
    this.channel = channel;
    this.positionBytes = positionBytes;
    this.sizeBytes = sizeBytes;
    this.nextOffset = nextOffset;
  }

  static LogRead empty(long offset) {
    return new LogRead(null, null, 0, 0, offset);
  }

  /** Takes over the caller's hold on the segment. */
  static LogRead of(
      LogSegment held, FileChannel channel, long positionBytes, int sizeBytes, long nextOffset) {
    return new LogRead(held, channel, positionBytes, sizeBytes, nextOffset);
  }

  public boolean isEmpty() {
    return sizeBytes == 0;
  }

  /**
   * @throws IllegalStateException when empty
   */
  public FileChannel channel() {
    if (channel == null) {
      throw new IllegalStateException("an empty read has no file");
    }
    return channel;
  }

  public long positionBytes() {
    return positionBytes;
  }

  public int sizeBytes() {
    return sizeBytes;
  }

  /** Offset after the last batch; the offset asked for when empty. */
  public long nextOffset() {
    return nextOffset;
  }

  /** Copies the region to the heap; for TLS and for those who look inside. */
  public MemoryRecords toMemory() {
    if (isEmpty()) {
      return MemoryRecords.EMPTY;
    }
    ByteBuffer bytes = ByteBuffer.allocate(sizeBytes);
    try {
      while (bytes.hasRemaining()) {
        if (channel().read(bytes, positionBytes + bytes.position()) < 0) {
          throw new EOFException("file ends within the region");
        }
      }
    } catch (IOException e) {
      throw new KafkaStorageException("cannot read at " + positionBytes, e);
    }
    return MemoryRecords.readableRecords(bytes.flip());
  }

  /**
   * Has the page cache hold the region for whoever sends it; blocks on disk. Nothing is copied: the
   * kernel moves the pages to where nobody reads them.
   */
  public void load() {
    try (FileChannel nowhere = FileChannel.open(NOWHERE, StandardOpenOption.WRITE)) {
      for (long done = 0; done < sizeBytes; ) {
        long moved = channel().transferTo(positionBytes + done, sizeBytes - done, nowhere);
        if (moved <= 0) {
          throw new EOFException("file ends within the region");
        }
        done += moved;
      }
    } catch (IOException e) {
      throw new KafkaStorageException("cannot read at " + positionBytes, e);
    }
  }

  @Override
  public void close() {
    if (segment != null) {
      segment.release();
    }
  }
}

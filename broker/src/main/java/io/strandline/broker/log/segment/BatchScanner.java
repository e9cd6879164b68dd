package io.strandline.broker.log.segment;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Reads batch after batch of a file, in order, through one buffer. A batch is valid until the next
 * is asked for. Lengths are checked, checksums are the caller's affair. Not thread-safe.
 */
public final class BatchScanner {
  /** Offset and length, before anything that depends on the format. */
  static final int PREFIX_BYTES = 12;

  static final int MAGIC_POSITION = 16;

  /** Length of the header of a batch of format 2. */
  static final int HEADER_BYTES = 61;

  private static final int LEGACY_BYTES_MIN = 14;
  private static final int BUFFER_BYTES = 128 << 10;

  private final FileChannel channel;
  private final long limitBytes;
  private ByteBuffer buffer = ByteBuffer.allocate(BUFFER_BYTES).limit(0);
  private long bufferPosition;
  private long position;
  private long batchPosition;

  /**
   * @param fromBytes begin of a batch
   * @param limitBytes nothing at or behind it is looked at
   */
  public BatchScanner(FileChannel channel, long fromBytes, long limitBytes) {
    this.channel = channel;
    this.limitBytes = limitBytes;
    this.position = fromBytes;
    this.bufferPosition = fromBytes;
  }

  /** The next batch, or null when the limit is reached or what follows is no whole batch. */
  public @Nullable MutableRecordBatch next() throws IOException {
    if (!have(MAGIC_POSITION + 1)) {
      return null;
    }
    int at = (int) (position - bufferPosition);
    int length = buffer.getInt(at + 8);
    byte magic = buffer.get(at + MAGIC_POSITION);
    int least =
        magic >= RecordBatch.MAGIC_VALUE_V2 ? HEADER_BYTES - PREFIX_BYTES : LEGACY_BYTES_MIN;
    if (magic < 0 || magic > RecordBatch.CURRENT_MAGIC_VALUE || length < least) {
      return null;
    }
    long sizeBytes = (long) PREFIX_BYTES + length;
    if (sizeBytes > limitBytes - position || !have((int) sizeBytes)) {
      return null;
    }
    ByteBuffer slice = buffer.slice((int) (position - bufferPosition), (int) sizeBytes);
    batchPosition = position;
    position += sizeBytes;
    return MemoryRecords.readableRecords(slice).batches().iterator().next();
  }

  /** Where the batch returned last begins. */
  public long batchPositionBytes() {
    return batchPosition;
  }

  /** Where the batch returned last ends; where the torn rest begins once {@link #next} is null. */
  public long positionBytes() {
    return position;
  }

  private boolean have(int bytes) throws IOException {
    if (bytes > limitBytes - position) {
      return false;
    }
    if (position + bytes <= bufferPosition + buffer.limit()) {
      return true;
    }
    if (bytes > buffer.capacity()) {
      buffer = ByteBuffer.allocate(bytes);
    }
    buffer.clear();
    buffer.limit((int) Math.min(buffer.capacity(), limitBytes - position));
    bufferPosition = position;
    Channels.readUpTo(channel, buffer, position);
    buffer.flip();
    return bytes <= buffer.limit();
  }
}

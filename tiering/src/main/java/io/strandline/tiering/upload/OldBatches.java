package io.strandline.tiering.upload;

import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFormatException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.CloseableIterator;
import org.jspecify.annotations.Nullable;

/**
 * Writes a log's batches of magic 0 and 1, which Kafka keeps where it wrote them before 0.11, again
 * as batches of magic 2. Records keep offset, timestamp, key and value, and batches their codec;
 * what was compressed together stays together, single records are gathered. Batches of magic 2 stay
 * byte by byte. One thread.
 */
final class OldBatches {
  private static final int PREFIX_BYTES = 12;
  private static final int MAGIC_AT = 16;
  private static final int HEAD_BYTES = MAGIC_AT + 1;

  /** A magic 0 message: offset, length, checksum, magic, attributes, two lengths. */
  private static final int BATCH_BYTES_MIN = 26;

  private static final int BATCH_BYTES_MAX = 64 << 20;
  private static final int GATHERED_BYTES = 64 << 10;

  private final FileChannel in;
  private final FileChannel out;
  private final List<EpochStart> epochs;
  private final long fromOffset;
  private final BatchBounds bounds;
  private final BufferSupplier buffers = BufferSupplier.create();
  private @Nullable Gathered gathered;
  private long lastOffset = -1;

  /**
   * @param epochs of the log; a record below all of them gets none
   * @param fromOffset no batch reaches over it, so that a segment can begin there
   */
  OldBatches(
      FileChannel in,
      FileChannel out,
      List<EpochStart> epochs,
      long fromOffset,
      BatchBounds bounds) {
    this.in = in;
    this.out = out;
    this.epochs = epochs;
    this.fromOffset = fromOffset;
    this.bounds = bounds;
  }

  /** What the records of one batch have in common. */
  private record Kind(CompressionType codec, TimestampType type, long appendedMs, int epoch) {}

  /** A batch that is being made. */
  private record Gathered(Kind kind, MemoryRecordsBuilder builder) {
    static Gathered from(Kind kind, long offset) {
      return new Gathered(
          kind,
          MemoryRecords.builder(
              ByteBuffer.allocate(GATHERED_BYTES),
              RecordBatch.MAGIC_VALUE_V2,
              Compression.of(kind.codec).build(),
              kind.type,
              offset,
              kind.appendedMs,
              kind.epoch));
    }

    boolean takes(Kind other) {
      return kind.equals(other)
          && (kind.codec != CompressionType.NONE
              || builder.estimatedSizeInBytes() < GATHERED_BYTES);
    }
  }

  /** Whether there is any. */
  static boolean isIn(FileChannel in, long logBytes) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    long at = 0;
    while (at + HEAD_BYTES <= logBytes) {
      Recompressor.readFully(in, head.clear(), at);
      if (isOld(head)) {
        return true;
      }
      long bytes = PREFIX_BYTES + (long) head.getInt(8);
      if (bytes < BATCH_BYTES_MIN) {
        return false; // damaged, as whoever asks knows
      }
      at += bytes;
    }
    return false;
  }

  /**
   * @return bytes written
   * @throws SegmentFormatException if an old batch is damaged, or what is there is none
   */
  long write(long logBytes) throws IOException {
    ByteBuffer head = ByteBuffer.allocate(HEAD_BYTES);
    int bytes;
    for (long at = 0; at < logBytes; at += bytes) {
      Recompressor.readFully(in, head.clear(), at);
      bytes = sizeBytes(head, at, logBytes);
      ByteBuffer batch = ByteBuffer.allocate(bytes);
      Recompressor.readFully(in, batch, at);
      if (isOld(head)) {
        convert(MemoryRecords.readableRecords(batch.flip()).batches().iterator().next());
      } else {
        flush();
        Recompressor.writeFully(out, batch.flip());
      }
    }
    flush();
    return out.position();
  }

  private static boolean isOld(ByteBuffer head) {
    byte magic = head.get(MAGIC_AT);
    return magic == RecordBatch.MAGIC_VALUE_V0 || magic == RecordBatch.MAGIC_VALUE_V1;
  }

  private static int sizeBytes(ByteBuffer head, long at, long logBytes) {
    long bytes = PREFIX_BYTES + (long) head.getInt(8);
    if (bytes < BATCH_BYTES_MIN || bytes > BATCH_BYTES_MAX || bytes > logBytes - at) {
      throw new SegmentFormatException("a batch of " + bytes + " bytes at " + at);
    }
    return (int) bytes;
  }

  private void convert(RecordBatch batch) throws IOException {
    try {
      batch.ensureValid();
      for (Record record : bounds.decode(batch, buffers, () -> records(batch))) {
        add(kind(batch, record), record);
      }
    } catch (KafkaException damaged) {
      throw new SegmentFormatException(
          "the batch up to offset " + batch.lastOffset() + " is damaged: " + damaged.getMessage());
    }
    if (batch.compressionType() != CompressionType.NONE) {
      flush();
    }
  }

  private List<Record> records(RecordBatch batch) {
    List<Record> records = new ArrayList<>();
    try (CloseableIterator<Record> all = batch.streamingIterator(buffers)) {
      all.forEachRemaining(records::add);
    }
    return records;
  }

  private Kind kind(RecordBatch batch, Record record) {
    boolean appended = batch.timestampType() == TimestampType.LOG_APPEND_TIME;
    return new Kind(
        batch.compressionType(),
        appended ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME, // magic 0 has neither
        appended ? record.timestamp() : RecordBatch.NO_TIMESTAMP,
        epochOf(record.offset()));
  }

  private void add(Kind kind, Record record) throws IOException {
    Gathered to = gathered;
    boolean border = lastOffset < fromOffset && record.offset() >= fromOffset;
    lastOffset = record.offset();
    if (to == null || !to.takes(kind) || border) {
      flush();
      to = Gathered.from(kind, record.offset());
      gathered = to;
    }
    to.builder.appendWithOffset(record.offset(), record);
  }

  private void flush() throws IOException {
    Gathered made = gathered;
    if (made != null) {
      gathered = null;
      Recompressor.writeFully(out, made.builder.build().buffer().duplicate());
    }
  }

  private int epochOf(long offset) {
    int epoch = RecordBatch.NO_PARTITION_LEADER_EPOCH;
    for (EpochStart start : epochs) {
      epoch = start.startOffset() <= offset ? start.leaderEpoch() : epoch;
    }
    return epoch;
  }
}

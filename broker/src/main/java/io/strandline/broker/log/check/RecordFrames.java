package io.strandline.broker.log.check;

import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ByteUtils;

/**
 * A walk over the record frames of an uncompressed batch (format 2) that allocates nothing:
 * lengths, offset deltas and timestamps are what the header says.
 */
final class RecordFrames {
  private static final int RECORDS_POSITION = 61;
  private static final int BASE_TIMESTAMP_POSITION = 27;

  private RecordFrames() {}

  /**
   * @param batch position 0 to limit is the batch
   * @param earliestMs,latestMs timestamps outside make it unsound, but for -1
   * @return false if anything differs; whoever needs to know what, decodes the records
   */
  static boolean sound(ByteBuffer batch, RecordBatch header, long earliestMs, long latestMs) {
    ByteBuffer bytes = batch.duplicate().position(RECORDS_POSITION);
    long base = batch.getLong(BASE_TIMESTAMP_POSITION);
    int count = header.countOrNull();
    long max = RecordBatch.NO_TIMESTAMP;
    try {
      for (int i = 0; i < count; i++) {
        int length = ByteUtils.readVarint(bytes);
        int end = bytes.position() + length;
        if (length <= 0 || end > bytes.limit() || end < 0) {
          return false;
        }
        bytes.get();
        long timestamp = base + ByteUtils.readVarlong(bytes);
        if (timestamp != RecordBatch.NO_TIMESTAMP
            && (timestamp < earliestMs || timestamp > latestMs)) {
          return false;
        }
        max = Math.max(max, timestamp);
        if (ByteUtils.readVarint(bytes) != i || !body(bytes) || bytes.position() != end) {
          return false;
        }
      }
    } catch (BufferUnderflowException | IllegalArgumentException e) {
      return false;
    }
    return !bytes.hasRemaining() && max == header.maxTimestamp();
  }

  /** Key, value and headers; positions behind them. */
  private static boolean body(ByteBuffer bytes) {
    boolean key = skip(bytes, true);
    if (!key || !skip(bytes, true)) {
      return false;
    }
    int headers = ByteUtils.readVarint(bytes);
    if (headers < 0) {
      return false;
    }
    for (int i = 0; i < headers; i++) {
      if (!skip(bytes, false) || !skip(bytes, true)) {
        return false;
      }
    }
    return true;
  }

  private static boolean skip(ByteBuffer bytes, boolean mayBeNull) {
    int length = ByteUtils.readVarint(bytes);
    if (length < 0) {
      return mayBeNull && length == -1;
    }
    if (length > bytes.remaining()) {
      return false;
    }
    bytes.position(bytes.position() + length);
    return true;
  }
}

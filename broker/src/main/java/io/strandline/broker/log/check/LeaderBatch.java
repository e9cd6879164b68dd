package io.strandline.broker.log.check;

import java.nio.ByteBuffer;
import java.util.Iterator;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * What somebody wants to append to a log led here, its first batch found once for all questions.
 *
 * @param bytes of the records, position to limit; to be read by index only
 * @param first null when there is not one whole batch
 */
public record LeaderBatch(
    MemoryRecords records, ByteBuffer bytes, @Nullable MutableRecordBatch first) {
  /**
   * @throws org.apache.kafka.common.errors.CorruptRecordException for a length that no batch has
   */
  public static LeaderBatch of(MemoryRecords records) {
    Iterator<MutableRecordBatch> batches = records.batches().iterator();
    return new LeaderBatch(records, records.buffer(), batches.hasNext() ? batches.next() : null);
  }

  /** Whether there is nothing before or behind the first batch. */
  public boolean single() {
    return first != null && first.sizeInBytes() == bytes.remaining();
  }
}

package io.strandline.broker.log.clean;

import io.strandline.broker.log.segment.LogSegment;
import io.strandline.tiering.compact.BatchSink;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;

/** Writes what stays into a copy, indexed like any segment. */
final class CopySink implements BatchSink {
  private final LogSegment copy;
  private final int indexIntervalBytes;

  CopySink(LogSegment copy, int indexIntervalBytes) {
    this.copy = copy;
    this.indexIntervalBytes = indexIntervalBytes;
  }

  @Override
  public void append(MemoryRecords batches, long lastOffset) throws IOException {
    int position = copy.end().sizeBytes();
    copy.write(batches.buffer().duplicate());
    for (RecordBatch batch : batches.batches()) {
      int size = batch.sizeInBytes();
      copy.index(batch.lastOffset(), batch.maxTimestamp(), position, size, indexIntervalBytes);
      position += size;
    }
    copy.publish(position, lastOffset + 1);
  }

  @Override
  public void aborted(AbortedTransaction transaction) throws IOException {
    copy.aborted().append(transaction);
  }
}

package io.strandline.tiering.compact;

import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import org.apache.kafka.common.record.internal.MemoryRecords;

/** Where what stays of a segment goes. One thread at a time. */
public interface BatchSink {
  /**
   * Whole batches, to be written in the order given; the memory is reused after the call.
   *
   * @param lastOffset of the last batch, as it was before compaction
   */
  void append(MemoryRecords batches, long lastOffset) throws IOException;

  /** A line of the transaction index: its abort marker stays. In order of last offsets. */
  void aborted(AbortedTransaction transaction) throws IOException;
}

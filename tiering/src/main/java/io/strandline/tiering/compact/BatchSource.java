package io.strandline.tiering.compact;

import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;

/** One segment to be compacted: whole record batches in order of offsets. One thread at a time. */
public interface BatchSource {
  /** Length of its batches. */
  long sizeBytes();

  /**
   * Fills the buffer from {@code positionBytes} as far as it or the segment goes; a batch may be
   * cut at the end.
   */
  void read(ByteBuffer into, long positionBytes) throws IOException;

  /**
   * Every aborted transaction that overlaps the segment, whichever segment's index lists it; lists
   * of successive segments may repeat one.
   */
  List<AbortedTransaction> abortedTransactions();
}

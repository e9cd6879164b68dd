package io.strandline.replay;

import java.nio.ByteBuffer;
import java.util.List;

/**
 * Bytes of whole batches in order. Whoever is handed a read calls {@link #close()} once when the
 * bytes were sent; the slices may not be touched after that.
 */
public interface ReplayRead extends AutoCloseable {
  /** Batches, cut anywhere: joined in order they are a record set. */
  List<ByteBuffer> slices();

  int sizeBytes();

  /** Offset after the last one in the slices; the request's offset when empty. */
  long nextOffset();

  /** Aborted transactions that overlap the slices, empty unless asked for. */
  List<AbortedRange> abortedTransactions();

  /**
   * Whether others have long been waiting for memory, which this read holds until it is closed: who
   * is slow to take it should give it up.
   */
  boolean wanted();

  @Override
  void close();

  /**
   * A transaction of this producer was aborted; its first record in or before the slices is at
   * {@code firstOffset}.
   */
  record AbortedRange(long producerId, long firstOffset) {}
}

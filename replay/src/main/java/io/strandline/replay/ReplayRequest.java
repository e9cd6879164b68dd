package io.strandline.replay;

import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicIdPartition;

/**
 * @param offset first offset wanted
 * @param endOffset read no batch that begins at or above it
 * @param maxBytes the answer holds at most so many bytes, but at least one batch if {@code
 *     atLeastOneBatch}
 * @param abortedTransactions whether the answer lists them (read_committed)
 * @param reader who reads, for fairness and read-ahead: one stream of offsets per reader and
 *     partition
 * @param gone whether the reader has stopped to wait: what waits for memory by then is not begun,
 *     and what comes after that waits for the same reader's next try
 */
public record ReplayRequest(
    TopicIdPartition partition,
    long offset,
    long endOffset,
    int maxBytes,
    boolean atLeastOneBatch,
    boolean abortedTransactions,
    String reader,
    BooleanSupplier gone) {
  /** By one that waits as long as it takes. */
  public ReplayRequest(
      TopicIdPartition partition,
      long offset,
      long endOffset,
      int maxBytes,
      boolean atLeastOneBatch,
      boolean abortedTransactions,
      String reader) {
    this(
        partition,
        offset,
        endOffset,
        maxBytes,
        atLeastOneBatch,
        abortedTransactions,
        reader,
        () -> false);
  }

  /** The same, by one that has also gone when this says so. */
  ReplayRequest until(BooleanSupplier over) {
    return new ReplayRequest(
        partition,
        offset,
        endOffset,
        maxBytes,
        atLeastOneBatch,
        abortedTransactions,
        reader,
        () -> gone.getAsBoolean() || over.getAsBoolean());
  }
}

package io.strandline.broker.partition;

import java.util.OptionalInt;
import java.util.function.BooleanSupplier;
import org.apache.kafka.server.storage.log.FetchIsolation;

/**
 * @param offset first offset wanted
 * @param maxBytes at most so many bytes, or one batch if {@code atLeastOneBatch}
 * @param leaderEpoch the epoch the reader believes in; FENCED_LEADER_EPOCH or UNKNOWN_LEADER_EPOCH
 *     if it is another
 * @param isolation up to which offset the reader may see
 * @param reader who reads, for fairness and read-ahead of history
 * @param hotAlone the reader looks into the tier itself, see {@link PartitionRead.Left}
 * @param gone whether the reader has stopped to wait: what is not begun by then need not be
 */
public record ReadRequest(
    long offset,
    int maxBytes,
    boolean atLeastOneBatch,
    OptionalInt leaderEpoch,
    FetchIsolation isolation,
    String reader,
    boolean hotAlone,
    BooleanSupplier gone) {
  /** By one that waits as long as it takes, and is given history, too. */
  public ReadRequest(
      long offset,
      int maxBytes,
      boolean atLeastOneBatch,
      OptionalInt leaderEpoch,
      FetchIsolation isolation,
      String reader) {
    this(offset, maxBytes, atLeastOneBatch, leaderEpoch, isolation, reader, false, () -> false);
  }
}

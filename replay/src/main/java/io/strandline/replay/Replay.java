package io.strandline.replay;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Reads of what the hot log no longer holds. No method blocks; futures complete on replay's own
 * threads.
 *
 * <p>Failures: {@link ReplayException}, whose kind says whether the range may come back.
 */
public interface Replay extends AutoCloseable {
  /**
   * Whole record batches, the first being the one that covers the offset asked for, byte-identical
   * to what was appended (but for recompression by policy), up to the tier's end.
   */
  CompletableFuture<ReplayRead> read(ReplayRequest request);

  /**
   * The first offset in the tier whose record timestamp is at least {@code timestampMs}, at or
   * above {@code fromOffset}; empty when the tier has none.
   *
   * @param endOffset up to here the caller knows the tier to reach, as the hot log has let go of
   *     what lies below: a version of the manifest that ends before it is not believed
   */
  CompletableFuture<Optional<TimestampedOffset>> firstReaching(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs);

  /**
   * The record in the tier with the largest timestamp, if that is at least {@code timestampMs}, at
   * or above {@code fromOffset}; of several the first.
   *
   * @param endOffset as in {@link #firstReaching}
   */
  CompletableFuture<Optional<TimestampedOffset>> latest(
      TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs);

  /**
   * First offset the tier holds and the offset after its last, as of the newest version known
   * within the staleness bound.
   */
  CompletableFuture<TierRange> range(TopicIdPartition partition);

  /** The reader has gone for good: what was read ahead for it is let go of. */
  void left(String reader);

  @Override
  void close();

  /**
   * @param leaderEpoch of the batch the offset lies in
   */
  record TimestampedOffset(long offset, long timestampMs, int leaderEpoch) {}

  record TierRange(long startOffset, long endOffset) {}
}

package io.strandline.broker.partition;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.replay.ReplayRead;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.jspecify.annotations.Nullable;

/** Where the records asked for are. */
public sealed interface PartitionRead {
  /** Offsets as they were before the read, which a response reports beside the records. */
  Marks marks();

  /**
   * @param highWatermark,lastStableOffset,logStartOffset of the partition
   * @param upperBound the offset the reader may not reach
   */
  record Marks(long highWatermark, long lastStableOffset, long logStartOffset, long upperBound) {}

  /**
   * Nowhere: the follower that asks has records of another history. It cuts its log and asks again
   * (KIP-595).
   *
   * @param end the largest epoch here that is not above the follower's, and where it ends
   */
  record Diverging(Marks marks, PartitionLog.EpochEnd end) implements PartitionRead {}

  /**
   * In the hot log, its bytes in the page cache.
   *
   * @param read owned by the receiver, who closes it once
   * @param aborted transactions that overlap it; null unless the reader wants committed records
   *     only
   */
  record Hot(Marks marks, LogRead read, @Nullable List<AbortedTransaction> aborted)
      implements PartitionRead {}

  /**
   * In older segments of the hot log, for which a disk may have to be waited.
   *
   * @param read completes on the executor of reads with a {@link Hot}, or with a {@link Cold} if
   *     the tier took the bytes over meanwhile, or fails as the read itself does; owned by the
   *     receiver
   */
  record Old(Marks marks, CompletableFuture<PartitionRead> read) implements PartitionRead {}

  /**
   * In the tier.
   *
   * @param read completes on replay's threads, or fails with {@link
   *     io.strandline.replay.ReplayException}; owned by the receiver, who closes what it yields
   */
  record Cold(Marks marks, CompletableFuture<ReplayRead> read) implements PartitionRead {}
}

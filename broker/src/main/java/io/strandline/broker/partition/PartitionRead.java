package io.strandline.broker.partition;

import io.strandline.broker.log.LogRead;
import io.strandline.replay.ReplayRead;
import java.util.concurrent.CompletableFuture;

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
   * In the hot log.
   *
   * @param read owned by the receiver, who closes it once
   */
  record Hot(Marks marks, LogRead read) implements PartitionRead {}

  /**
   * In the tier.
   *
   * @param read completes on replay's threads, or fails with {@link
   *     io.strandline.replay.ReplayException}; owned by the receiver, who closes what it yields
   */
  record Cold(Marks marks, CompletableFuture<ReplayRead> read) implements PartitionRead {}
}

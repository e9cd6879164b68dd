package io.strandline.broker.partition;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.broker.replica.TierMark;
import io.strandline.replay.ReplayRead;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.jspecify.annotations.Nullable;

/** Where the records asked for are. */
public sealed interface PartitionRead {
  /**
   * A partition that readers are served from: a replica, or one that is led elsewhere and read here
   * all the same. Threads: any.
   */
  interface Source {
    TopicIdPartition id();

    /**
     * Finds records; waits neither for the tier nor for the disk.
     *
     * @throws org.apache.kafka.common.errors.ApiException OFFSET_OUT_OF_RANGE, FENCED_LEADER_EPOCH,
     *     UNKNOWN_LEADER_EPOCH, NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR
     */
    PartitionRead read(ReadRequest request);

    /** The same from whichever replica this is (KIP-392). */
    PartitionRead readReplica(ReadRequest request);

    /** The offsets as they are known, with the bound for readers of this isolation. */
    Marks marks(FetchIsolation isolation);

    /**
     * Looks an offset up as ListOffsets does.
     *
     * @param timestampMs at least this, or one of the negative specs of {@code ListOffsetsRequest}
     */
    CompletableFuture<FoundOffset> offsetFor(
        long timestampMs, FetchIsolation isolation, OptionalInt leaderEpoch);

    /** Where an epoch ends, as OffsetForLeaderEpoch asks (KIP-101). */
    CompletableFuture<Optional<PartitionLog.EpochEnd>> epochEnd(OptionalInt leaderEpoch, int epoch);

    void watch(Watcher watcher);

    void unwatch(Watcher watcher);

    /** Of its topic. */
    TopicMeters meters();

    /** How far it is tiered, for followers. */
    Optional<TierMark> tiered();
  }

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

  /** Nowhere for now: the follower that asks has used up what it may have (KIP-73). */
  record Throttled(Marks marks) implements PartitionRead {}

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
   * With its leader, which another broker is, and came from there.
   *
   * @param aborted as with {@link Hot}
   */
  record Passed(Marks marks, MemoryRecords records, @Nullable List<AbortedTransaction> aborted)
      implements PartitionRead {}

  /** In the tier, and left to the reader, who wanted the hot log alone. */
  record Left(Marks marks) implements PartitionRead {}

  /**
   * In the tier.
   *
   * @param read completes on replay's threads, or fails with {@link
   *     io.strandline.replay.ReplayException}; owned by the receiver, who closes what it yields
   */
  record Cold(Marks marks, CompletableFuture<ReplayRead> read) implements PartitionRead {}
}

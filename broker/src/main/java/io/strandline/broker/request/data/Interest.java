package io.strandline.broker.request.data;

import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.Watcher;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.broker.replica.TierMark;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FetchResponse;
import org.jspecify.annotations.Nullable;

/**
 * One partition of a fetch: what the client asked for last, what it was told last, and whether
 * there may be something new.
 *
 * <p>Clean means: a read at this offset gave nothing, and nothing has changed since. Only the
 * attempt at work on the set touches the fields; any thread may call {@link #changed}.
 */
final class Interest implements Watcher {
  private final FetchKey key;
  private final FetchSet set;
  private final AtomicBoolean dirty = new AtomicBoolean();
  private volatile boolean dropped;

  private long fetchOffset;
  private int maxBytes;
  private OptionalInt leaderEpoch = OptionalInt.empty();
  private OptionalInt lastFetchedEpoch = OptionalInt.empty();
  private long logStartOffset = FetchResponse.INVALID_LOG_START_OFFSET;
  private long toldHighWatermark = FetchResponse.INVALID_HIGH_WATERMARK;
  private long toldLogStart = FetchResponse.INVALID_LOG_START_OFFSET;
  private Optional<TierMark> toldTier = Optional.empty();
  private PartitionRead.@Nullable Source watched;
  private @Nullable FetchPart part;

  Interest(FetchKey key, FetchSet set) {
    this.key = key;
    this.set = set;
  }

  FetchKey key() {
    return key;
  }

  long fetchOffset() {
    return fetchOffset;
  }

  int maxBytes() {
    return maxBytes;
  }

  OptionalInt leaderEpoch() {
    return leaderEpoch;
  }

  /** Of a follower's newest batch. */
  OptionalInt lastFetchedEpoch() {
    return lastFetchedEpoch;
  }

  /** Of a follower's replica. */
  long logStartOffset() {
    return logStartOffset;
  }

  void ask(FetchPartition asked) {
    fetchOffset = asked.fetchOffset();
    maxBytes = asked.partitionMaxBytes();
    leaderEpoch = epoch(asked.currentLeaderEpoch());
    lastFetchedEpoch = epoch(asked.lastFetchedEpoch());
    logStartOffset = asked.logStartOffset();
  }

  private static OptionalInt epoch(int told) {
    return told < 0 ? OptionalInt.empty() : OptionalInt.of(told);
  }

  // ---- dirt

  @Override
  public void changed(PartitionRead.Source partition, Executor wakes) {
    if (soil()) {
      wakes.execute(set::wake);
    }
  }

  /** Makes it dirty; whether it was clean. */
  boolean soil() {
    if (dropped || !dirty.compareAndSet(false, true)) {
      return false;
    }
    set.enqueue(this);
    return true;
  }

  /** Makes it clean; what changes from here on makes it dirty again. */
  void wipe() {
    dirty.set(false);
  }

  boolean dropped() {
    return dropped;
  }

  /** From now on changes of this partition make it dirty. */
  void watch(PartitionRead.Source partition) {
    PartitionRead.Source before = watched;
    if (before != partition) {
      if (before != null) {
        before.unwatch(this);
      }
      watched = partition;
      partition.watch(this);
    }
  }

  /** What is read; null before it was found. */
  PartitionRead.@Nullable Source watched() {
    return watched;
  }

  void unwatch() {
    PartitionRead.Source before = watched;
    if (before != null) {
      before.unwatch(this);
      watched = null;
    }
  }

  void drop() {
    dropped = true;
    unwatch();
  }

  /** Counts for the topic of the partition that is read, if it was found. */
  void mark(TopicMeters.Kind kind, long events) {
    PartitionRead.Source read = watched;
    if (read != null) {
      read.meters().mark(kind, events);
    }
  }

  // ---- the attempt's

  @Nullable FetchPart part() {
    return part;
  }

  void part(@Nullable FetchPart part) {
    this.part = part;
  }

  /** Whether the next attempt should look at it again, whatever comes meanwhile. */
  boolean hasMore() {
    FetchPart given = part;
    return given != null && (given.slow() || given.failed() || given.sizeBytes() > 0);
  }

  boolean gaveHistory() {
    FetchPart given = part;
    return given != null && given.history();
  }

  /** What a follower is to be told of the tier. */
  Optional<TierMark> tier() {
    PartitionRead.Source read = watched;
    return read == null ? Optional.empty() : read.tiered();
  }

  /**
   * Whether an incremental response has to mention the partition; remembers what it says.
   *
   * @param tier that it says too
   */
  boolean news(PartitionData data, Optional<TierMark> tier) {
    boolean news =
        FetchResponse.recordsSize(data) > 0
            || !toldTier.equals(tier)
            || FetchResponse.isDivergingEpoch(data)
            || FetchResponse.isPreferredReplica(data)
            || data.errorCode() != Errors.NONE.code()
            || toldHighWatermark != data.highWatermark()
            || toldLogStart != data.logStartOffset();
    // After an error the next good answer has to be given in any case.
    toldHighWatermark =
        data.errorCode() == Errors.NONE.code()
            ? data.highWatermark()
            : FetchResponse.INVALID_HIGH_WATERMARK;
    toldLogStart = data.logStartOffset();
    toldTier = tier;
    return news;
  }
}

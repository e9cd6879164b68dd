package io.strandline.broker.partition;

import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.TimedOffset;
import io.strandline.replay.Replay;
import io.strandline.tiering.segment.EpochStart;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.OffsetNotAvailableException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * Offsets by name or by time, across hot log and tier as one (design invariant 7): the tier is
 * asked first, since it holds what is oldest, and the hot log when the tier has none.
 */
final class OffsetLookup {
  private final Partition partition;
  private final PartitionRuntime runtime;

  OffsetLookup(Partition partition, PartitionRuntime runtime) {
    this.partition = partition;
    this.runtime = runtime;
  }

  CompletableFuture<FoundOffset> find(long timestampMs, FetchIsolation isolation) {
    boolean behind = isolation != FetchIsolation.LOG_END && behindItsEpoch();
    if (timestampMs == ListOffsetsRequest.LATEST_TIMESTAMP) {
      return behind ? notYet() : done(found(bound(isolation), leaderEpoch()));
    }
    if (timestampMs == ListOffsetsRequest.EARLIEST_TIMESTAMP) {
      return done(at(partition.logStartOffset()));
    }
    if (timestampMs == ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP) {
      return done(at(partition.localLogStartOffset()));
    }
    CompletableFuture<FoundOffset> found =
        timestampMs >= 0 ? byTime(timestampMs, isolation) : named(timestampMs, isolation);
    return behind ? found.thenCompose(hit -> hit.offset() < 0 ? notYet() : done(hit)) : found;
  }

  private CompletableFuture<FoundOffset> named(long timestampMs, FetchIsolation isolation) {
    if (timestampMs == ListOffsetsRequest.MAX_TIMESTAMP) {
      return maxTimestamp(isolation);
    }
    if (timestampMs == ListOffsetsRequest.LATEST_TIERED_TIMESTAMP) {
      return tierEnd().thenApply(end -> end == 0 ? FoundOffset.NONE : at(end - 1));
    }
    if (timestampMs == ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP) {
      return neverTiered()
          ? done(FoundOffset.NONE)
          : tierEnd().thenApply(end -> at(Math.max(end, partition.logStartOffset())));
    }
    return CompletableFuture.failedFuture(
        new UnsupportedVersionException("no offset is named by " + timestampMs));
  }

  /**
   * A new leader does not know yet how far its predecessor's high watermark was: an offset below
   * would be one that clients have seen pass (KIP-207).
   */
  private boolean behindItsEpoch() {
    List<EpochStart> epochs = log().epochs();
    EpochStart last = epochs.isEmpty() ? null : epochs.get(epochs.size() - 1);
    return last != null
        && last.leaderEpoch() == partition.leaderEpoch()
        && last.startOffset() > partition.highWatermark();
  }

  private static <T> CompletableFuture<T> notYet() {
    return CompletableFuture.failedFuture(
        new OffsetNotAvailableException("the high watermark lags behind the leader epoch's start"));
  }

  private long bound(FetchIsolation isolation) {
    return partition.marks(isolation).upperBound();
  }

  private CompletableFuture<FoundOffset> byTime(long timestampMs, FetchIsolation isolation) {
    return later(() -> local(isolation, bound -> log().firstReaching(timestampMs, bound)))
        .thenCompose(
            there ->
                there.whole()
                    ? done(there.answer())
                    : history(there, runtime.replay()::firstReaching, timestampMs)
                        .thenApply(old -> old.map(there::earlier).orElse(there.answer())));
  }

  /** The tier is asked for what is as late as the hot log's latest: of equals the first counts. */
  private CompletableFuture<FoundOffset> maxTimestamp(FetchIsolation isolation) {
    return later(() -> local(isolation, bound -> log().maxTimestamp(bound)))
        .thenCompose(
            there ->
                there.whole()
                    ? done(there.answer())
                    : history(
                            there,
                            runtime.replay()::latest,
                            there.found().map(TimedOffset::timestampMs).orElse(0L))
                        .thenApply(old -> old.map(there::latest).orElse(there.answer())));
  }

  private interface InHistory {
    CompletableFuture<Optional<Replay.TimestampedOffset>> find(
        TopicIdPartition partition, long fromOffset, long endOffset, long timestampMs);
  }

  private CompletableFuture<Optional<Replay.TimestampedOffset>> history(
      LocalAnswer there, InHistory look, long timestampMs) {
    return look.find(partition.id(), there.start(), there.seam(), timestampMs);
  }

  /**
   * @param start of the log
   * @param seam local log start of the search: the tier is asked for what lies below
   */
  private record LocalAnswer(Optional<TimedOffset> found, long start, long seam) {
    boolean whole() {
      return seam <= start;
    }

    FoundOffset answer() {
      return found.map(OffsetLookup::found).orElse(FoundOffset.NONE);
    }

    FoundOffset earlier(Replay.TimestampedOffset old) {
      boolean first = found.isEmpty() || old.offset() <= found.get().offset();
      return first ? OffsetLookup.found(old) : answer();
    }

    FoundOffset latest(Replay.TimestampedOffset old) {
      boolean later = found.isEmpty() || old.timestampMs() > found.get().timestampMs();
      return later ? OffsetLookup.found(old) : earlier(old);
    }
  }

  private interface InLog {
    Optional<TimedOffset> find(long upperBoundOffset);
  }

  /** The hot log is searched first: what the tier holds only grows meanwhile. */
  private LocalAnswer local(FetchIsolation isolation, InLog look) {
    long seam = partition.localLogStartOffset();
    Optional<TimedOffset> found = look.find(bound(isolation));
    long start = partition.logStartOffset();
    return new LocalAnswer(found, start, Math.max(seam, partition.localLogStartOffset()));
  }

  private PartitionLog log() {
    return partition.log();
  }

  private OptionalInt leaderEpoch() {
    return OptionalInt.of(partition.leaderEpoch());
  }

  /** As in Kafka nothing is pending where the broker or the topic says that nothing is tiered. */
  private boolean neverTiered() {
    LogConfig config = partition.config();
    boolean off =
        config.overriddenConfigs.contains(TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG)
            && !config.remoteStorageEnable();
    return off || !runtime.settings().tiers();
  }

  private CompletableFuture<Long> tierEnd() {
    return runtime
        .replay()
        .range(partition.id())
        .thenApply(range -> range.endOffset() > range.startOffset() ? range.endOffset() : 0L);
  }

  private FoundOffset at(long offset) {
    List<EpochStart> epochs = partition.log().epochs();
    OptionalInt epoch = OptionalInt.empty();
    for (EpochStart start : epochs) {
      if (start.startOffset() <= offset) {
        epoch = OptionalInt.of(start.leaderEpoch());
      }
    }
    return found(offset, epoch);
  }

  private static FoundOffset found(long offset, OptionalInt epoch) {
    return new FoundOffset(offset, -1, epoch);
  }

  private static FoundOffset found(TimedOffset hit) {
    return new FoundOffset(hit.offset(), hit.timestampMs(), hit.leaderEpoch());
  }

  private static FoundOffset found(Replay.TimestampedOffset hit) {
    return new FoundOffset(hit.offset(), hit.timestampMs(), OptionalInt.of(hit.leaderEpoch()));
  }

  private static <T> CompletableFuture<T> done(T value) {
    return CompletableFuture.completedFuture(value);
  }

  private <T> CompletableFuture<T> later(Supplier<T> look) {
    return CompletableFuture.supplyAsync(look, runtime.reads());
  }
}

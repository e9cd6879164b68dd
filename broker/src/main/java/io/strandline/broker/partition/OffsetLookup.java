package io.strandline.broker.partition;

import io.strandline.broker.log.PartitionLog.TimedOffset;
import io.strandline.replay.Replay;
import io.strandline.tiering.segment.EpochStart;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;

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
    if (timestampMs >= 0) {
      return byTime(timestampMs, isolation);
    }
    return switch ((int) timestampMs) {
      case (int) ListOffsetsRequest.LATEST_TIMESTAMP ->
          done(found(partition.marks(isolation).upperBound(), partition.log().latestEpoch()));
      case (int) ListOffsetsRequest.EARLIEST_TIMESTAMP -> done(at(partition.logStartOffset()));
      case (int) ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP ->
          done(at(partition.localLogStartOffset()));
      case (int) ListOffsetsRequest.MAX_TIMESTAMP -> maxTimestamp();
      case (int) ListOffsetsRequest.LATEST_TIERED_TIMESTAMP ->
          tierEnd().thenApply(end -> end == 0 ? FoundOffset.NONE : at(end - 1));
      case (int) ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP ->
          tierEnd().thenApply(end -> at(Math.max(end, partition.logStartOffset())));
      default ->
          CompletableFuture.failedFuture(
              new UnsupportedVersionException("no offset is named by " + timestampMs));
    };
  }

  private CompletableFuture<FoundOffset> byTime(long timestampMs, FetchIsolation isolation) {
    return later(() -> local(timestampMs, isolation))
        .thenCompose(
            there ->
                there.seam() <= partition.logStartOffset()
                    ? done(there.found())
                    : runtime
                        .replay()
                        .firstReaching(
                            partition.id(), partition.logStartOffset(), there.seam(), timestampMs)
                        .thenApply(old -> old.map(OffsetLookup::found).orElse(there.found())));
  }

  /**
   * @param seam local log start of the search: the tier is asked for what lies below
   */
  private record LocalAnswer(FoundOffset found, long seam) {}

  /** The hot log is searched first: what the tier holds only grows meanwhile. */
  private LocalAnswer local(long timestampMs, FetchIsolation isolation) {
    long bound = partition.marks(isolation).upperBound();
    long seam = partition.localLogStartOffset();
    FoundOffset found =
        partition
            .log()
            .firstReaching(timestampMs, bound)
            .filter(hit -> hit.offset() < bound)
            .map(OffsetLookup::found)
            .orElse(FoundOffset.NONE);
    return new LocalAnswer(found, Math.max(seam, partition.localLogStartOffset()));
  }

  private CompletableFuture<FoundOffset> maxTimestamp() {
    return later(
        () -> {
          Optional<TimedOffset> newest = partition.log().maxTimestampOffset();
          return newest.map(OffsetLookup::found).orElse(FoundOffset.NONE);
        });
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

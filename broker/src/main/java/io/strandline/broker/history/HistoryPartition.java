package io.strandline.broker.history;

import static java.util.Objects.requireNonNull;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.partition.FoundOffset;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.broker.partition.Watcher;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.broker.replica.TierMark;
import io.strandline.replay.Replay.TierRange;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRequest;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.jspecify.annotations.Nullable;

/**
 * A partition that another broker leads and this one has no replica of. What the tier holds is read
 * from there, as far as the leader says that the log reaches back; all else through the leader,
 * whose errors are the reader's. While the leader can not be asked, the tier is served: nothing is
 * in it that is not committed.
 *
 * <p>Threads: any.
 */
final class HistoryPartition implements PartitionRead.Source {
  /**
   * The offsets of a partition as its leader told them last.
   *
   * @param tieredEnd all below is in the tier; -1 if the leader does not say
   */
  private record Heard(
      int leaderEpoch, long highWatermark, long lastStable, long logStart, long tieredEnd) {
    /** Answers may overtake each other; within an epoch no offset falls. */
    Heard and(Heard later) {
      return leaderEpoch != later.leaderEpoch
          ? leaderEpoch < later.leaderEpoch ? later : this
          : new Heard(
              leaderEpoch,
              Math.max(highWatermark, later.highWatermark),
              Math.max(lastStable, later.lastStable),
              Math.max(logStart, later.logStart),
              Math.max(tieredEnd, later.tieredEnd));
    }

    PartitionRead.Marks marks(FetchIsolation isolation) {
      boolean committed = isolation == FetchIsolation.TXN_COMMITTED;
      return new PartitionRead.Marks(
          highWatermark, lastStable, logStart, committed ? lastStable : highWatermark);
    }
  }

  /**
   * What the store said.
   *
   * @param mounted the store is another cluster's, and its leader shows all of that
   * @param trustMs how long it is believed
   */
  private record Stored(TierRange range, boolean mounted, long readMs, long trustMs) {
    TierRange with(@Nullable Heard now) {
      return mounted && now != null ? new TierRange(now.logStart, now.highWatermark) : range;
    }
  }

  private static final long TRUST_MIN_MS = 5_000;
  private static final long TRUST_MAX_MS = 60_000;
  private static final PartitionRead.Marks UNKNOWN = new PartitionRead.Marks(-1, -1, -1, -1);

  private final TopicIdPartition id;
  private final HistoryPartitions around;
  private final Set<Watcher> watchers = ConcurrentHashMap.newKeySet();
  private volatile @Nullable Heard heard;
  private volatile @Nullable Stored stored;
  private volatile long usedMs;

  HistoryPartition(TopicIdPartition id, HistoryPartitions around) {
    this.id = id;
    this.around = around;
  }

  @Override
  public TopicIdPartition id() {
    return id;
  }

  @Override
  public TopicMeters meters() {
    return around.meters(id.topic());
  }

  @Override
  public Optional<TierMark> tiered() {
    return Optional.empty(); // nobody follows from here
  }

  // ---- what the leader says

  /** Takes in what an answer of the leader says of the partition, and wakes those who wait. */
  void heard(PartitionData answer) {
    if (answer.errorCode() == Errors.OFFSET_OUT_OF_RANGE.code()) {
      heard = null; // the log was cut below what it had told: readers shall ask
      watchers.forEach(watcher -> watcher.changed(this, Runnable::run));
    }
    if (answer.errorCode() != Errors.NONE.code() || answer.highWatermark() < 0) {
      return;
    }
    int epoch = around.state(id).map(PartitionState::leaderEpoch).orElse(-1);
    Heard now =
        new Heard(
            epoch,
            answer.highWatermark(),
            Math.max(answer.lastStableOffset(), 0),
            Math.max(answer.logStartOffset(), 0),
            TierMark.in(answer.unknownTaggedFields()).map(TierMark::endOffset).orElse(-1L));
    boolean news = learn(now);
    if (isWatched()) {
      if (news) {
        watchers.forEach(watcher -> watcher.changed(this, Runnable::run));
      }
      around.watch().add(this);
    }
  }

  private synchronized boolean learn(Heard now) {
    Heard before = heard;
    Heard merged = before == null ? now : before.and(now);
    heard = merged;
    return !merged.equals(before);
  }

  /** Where to listen for more. */
  long heardHighWatermark() {
    Heard now = heard;
    return now == null ? 0 : now.highWatermark();
  }

  @Override
  public PartitionRead.Marks marks(FetchIsolation isolation) {
    Heard now = heard;
    return now == null ? UNKNOWN : now.marks(isolation);
  }

  // ---- readers

  /** Whether nobody has read it since then, and nobody waits. */
  boolean idleSince(long ms) {
    return usedMs < ms && !isWatched();
  }

  boolean isWatched() {
    return !watchers.isEmpty();
  }

  @Override
  public void watch(Watcher watcher) {
    watchers.add(watcher);
    if (heard != null) {
      around.watch().add(this);
    }
  }

  @Override
  public void unwatch(Watcher watcher) {
    watchers.remove(watcher);
    if (watchers.isEmpty()) {
      around.watch().remove(this);
    }
  }

  @Override
  public PartitionRead readReplica(ReadRequest request) {
    return read(request);
  }

  @Override
  public PartitionRead read(ReadRequest request) {
    usedMs = around.nowMs();
    PartitionState state = around.stateOrThrow(id);
    PartitionState.requireEpoch(id, state.leaderEpoch(), request.leaderEpoch());
    CompletableFuture<PartitionRead> found =
        range()
            .thenCompose(
                range ->
                    range.startOffset() <= request.offset() && request.offset() < range.endOffset()
                        ? tiered(state, request, range)
                        : passedOrLeft(state, request));
    return found.isDone() && !found.isCompletedExceptionally()
        ? found.join()
        : new PartitionRead.Old(marks(request.isolation()), found);
  }

  /**
   * What the tier holds: the leader says so with each answer. Before it did, and while it is none
   * of ours, the store is asked, and ever less often as long as it says the same.
   */
  private CompletableFuture<TierRange> range() {
    Heard now = heard;
    if (now != null && now.tieredEnd() >= 0) {
      return CompletableFuture.completedFuture(new TierRange(now.logStart(), now.tieredEnd()));
    }
    Stored known = stored;
    if (known != null && around.nowMs() - known.readMs() < known.trustMs()) {
      return CompletableFuture.completedFuture(known.with(now));
    }
    return around
        .replay()
        .range(id)
        .handle(
            (range, away) -> {
              TierRange before = known == null ? new TierRange(0, 0) : known.range();
              TierRange found = range == null ? before : range; // the leader may know more
              long trustMs =
                  known != null && before.equals(found)
                      ? Math.min(TRUST_MAX_MS, 2 * known.trustMs())
                      : TRUST_MIN_MS;
              Stored fresh = new Stored(found, around.mounted(id), around.nowMs(), trustMs);
              stored = fresh;
              return fresh.with(now);
            });
  }

  private CompletableFuture<PartitionRead> tiered(
      PartitionState state, ReadRequest request, TierRange range) {
    Heard known = heard;
    if (known != null) {
      return tiered(state, request, known);
    }
    return around
        .leaders()
        .fetch(
            state,
            new LeaderReads.FetchFrom(range.endOffset(), 1, 0),
            IsolationLevel.READ_UNCOMMITTED,
            request.gone())
        .handle(
            (answer, failure) -> {
              if (answer != null) {
                heard(answer);
              }
              return cause(failure) instanceof OffsetOutOfRangeException;
            })
        .thenCompose(
            beyond -> {
              Heard now = heard;
              if (now != null) {
                return tiered(state, request, now);
              }
              return beyond ? passed(state, request) : tiered(state, request, ofTier(state, range));
            });
  }

  private static Heard ofTier(PartitionState state, TierRange range) {
    return new Heard(
        state.leaderEpoch(), range.endOffset(), range.endOffset(), range.startOffset(), -1);
  }

  private CompletableFuture<PartitionRead> tiered(
      PartitionState state, ReadRequest request, Heard known) {
    if (request.offset() < known.logStart()) {
      return passed(state, request);
    }
    PartitionRead.Marks marks = known.marks(request.isolation());
    return around
        .replay()
        .read(
            new ReplayRequest(
                id,
                request.offset(),
                marks.upperBound(),
                request.maxBytes(),
                request.atLeastOneBatch(),
                request.isolation() == FetchIsolation.TXN_COMMITTED,
                request.reader(),
                request.gone()))
        .<PartitionRead>thenApply(
            read -> new PartitionRead.Cold(marks, CompletableFuture.completedFuture(read)))
        .exceptionallyCompose(
            failure ->
                cause(failure) instanceof ReplayException gone
                        && gone.kind() == ReplayException.Kind.OUT_OF_RANGE
                    ? passed(state, request)
                    : CompletableFuture.failedFuture(cause(failure)));
  }

  /**
   * The leader may have released meanwhile what it was asked for: it says so, and reads nothing.
   */
  private CompletableFuture<PartitionRead> passedOrLeft(PartitionState state, ReadRequest request) {
    return passed(state, request)
        .thenCompose(
            read -> {
              Heard now = heard;
              boolean left =
                  read instanceof PartitionRead.Passed passed
                      && passed.records().sizeInBytes() == 0
                      && now != null
                      && request.offset() < now.tieredEnd();
              return left
                  ? tiered(state, request, requireNonNull(now))
                  : CompletableFuture.completedFuture(read);
            });
  }

  private CompletableFuture<PartitionRead> passed(PartitionState state, ReadRequest request) {
    return passed(state, request, 0);
  }

  /**
   * @param leftOut how often the leader had something and answered with nothing: no news will tell
   *     the reader of it, who would wait for all of its time
   */
  private CompletableFuture<PartitionRead> passed(
      PartitionState state, ReadRequest request, int leftOut) {
    return around
        .leaders()
        .fetch(
            state,
            new LeaderReads.FetchFrom(request.offset(), Math.max(1, request.maxBytes()), leftOut),
            isolation(request.isolation()),
            request.gone())
        .thenCompose(
            answer -> {
              heard(answer);
              PartitionRead.Passed read = passed(answer, request);
              return leavesOut(read, request)
                  ? passed(state, request, leftOut + 1)
                  : CompletableFuture.completedFuture(read);
            });
  }

  private static PartitionRead.Passed passed(PartitionData answer, ReadRequest request) {
    boolean committed = request.isolation() == FetchIsolation.TXN_COMMITTED;
    PartitionRead.Marks marks =
        new PartitionRead.Marks(
            answer.highWatermark(),
            answer.lastStableOffset(),
            answer.logStartOffset(),
            committed ? answer.lastStableOffset() : answer.highWatermark());
    return new PartitionRead.Passed(
        marks,
        (MemoryRecords) FetchResponse.recordsOrFail(answer),
        committed ? answer.abortedTransactions() : null);
  }

  /** Whether it has more than it gave, to somebody who still waits, and it is not in the tier. */
  private boolean leavesOut(PartitionRead.Passed read, ReadRequest request) {
    Heard now = heard;
    return read.records().sizeInBytes() == 0
        && request.offset() < read.marks().upperBound()
        && (now == null || request.offset() >= now.tieredEnd())
        && !request.gone().getAsBoolean();
  }

  private static IsolationLevel isolation(FetchIsolation isolation) {
    return isolation == FetchIsolation.TXN_COMMITTED
        ? IsolationLevel.READ_COMMITTED
        : IsolationLevel.READ_UNCOMMITTED;
  }

  private static @Nullable Throwable cause(@Nullable Throwable failure) {
    return failure instanceof CompletionException ? failure.getCause() : failure;
  }

  // ---- look-ups, which are the leader's

  @Override
  public CompletableFuture<FoundOffset> offsetFor(
      long timestampMs, FetchIsolation isolation, OptionalInt leaderEpoch) {
    return around
        .leaders()
        .offsetFor(around.stateOrThrow(id), timestampMs, isolation(isolation), leaderEpoch)
        .thenApply(
            answer ->
                new FoundOffset(answer.offset(), answer.timestamp(), epoch(answer.leaderEpoch())));
  }

  @Override
  public CompletableFuture<Optional<EpochEnd>> epochEnd(OptionalInt leaderEpoch, int epoch) {
    return around
        .leaders()
        .epochEnd(around.stateOrThrow(id), leaderEpoch, epoch)
        .thenApply(
            answer ->
                answer.endOffset() == OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH_OFFSET
                    ? Optional.empty()
                    : Optional.of(new EpochEnd(answer.leaderEpoch(), answer.endOffset())));
  }

  private static OptionalInt epoch(int told) {
    return told < 0 ? OptionalInt.empty() : OptionalInt.of(told);
  }
}

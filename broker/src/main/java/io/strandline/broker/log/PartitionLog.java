package io.strandline.broker.log;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.seal.SegmentSource;
import io.strandline.tiering.segment.EpochStart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * The local log of one partition.
 *
 * <p>Threads: methods that append, truncate or roll belong to the partition's one owner at a time;
 * getters and reads may be called by any thread. The tier and retention call from threads of their
 * own; what they change is guarded inside. Every method throws {@link KafkaStorageException} once
 * the directory is offline.
 */
public final class PartitionLog implements SegmentSource, LocalSegments {
  private volatile LogParts now;

  PartitionLog(LogState state) {
    this.now = LogParts.of(state);
  }

  Sealer sealer() {
    return now.sealer();
  }

  /** Where it lies; {@link #moved} gives it another. */
  LogParts parts() {
    return now;
  }

  /** It lies elsewhere from now on; under the locks of the state it leaves. */
  void moved(LogParts there) {
    now = there;
  }

  private LogState state() {
    return now.state();
  }

  /**
   * How a leader's append is to be judged.
   *
   * @param leaderEpoch that is expected, {@link #PRESENT_EPOCH} for any
   * @param guard of {@link #beginVerification}, or the sentinel (KIP-890)
   * @param transactionVersion of a marker (KIP-1228), or -1 for data
   */
  public record AppendTerms(
      int leaderEpoch, AppendOrigin origin, VerificationGuard guard, short transactionVersion) {
    public static final int PRESENT_EPOCH = -1;

    /** Of a client's append outside of transactions. */
    public static final AppendTerms CLIENT = of(PRESENT_EPOCH, AppendOrigin.CLIENT);

    /** The same in the epoch that the owner knows, if no other is expected. */
    public AppendTerms in(int epoch) {
      if (leaderEpoch >= 0 && leaderEpoch != epoch) {
        throw new NotLeaderOrFollowerException("led in epoch " + epoch + ", not " + leaderEpoch);
      }
      return new AppendTerms(epoch, origin, guard, transactionVersion);
    }

    public static AppendTerms of(int leaderEpoch, AppendOrigin origin) {
      return new AppendTerms(leaderEpoch, origin, VerificationGuard.SENTINEL, (short) -1);
    }
  }

  /** A record found by time. */
  public record TimedOffset(long offset, long timestampMs, OptionalInt leaderEpoch) {}

  /** The largest epoch at or below the one asked for, and the offset after its last record. */
  public record EpochEnd(int leaderEpoch, long endOffset) {}

  @Override
  public TopicIdPartition partition() {
    return state().partition;
  }

  public LogDirectory directory() {
    return state().directory;
  }

  public Path path() {
    return state().path;
  }

  public LogConfig config() {
    return state().config;
  }

  /** First offset of the partition, wherever it lies. */
  @Override
  public long logStartOffset() {
    return state().logStart;
  }

  /** First offset that can be read here. */
  @Override
  public long localLogStartOffset() {
    return state().localStart;
  }

  /** The offset the next record gets. */
  @Override
  public long logEndOffset() {
    return state().logEnd;
  }

  /** All below is durable. */
  public long recoveryPoint() {
    return state().recoveryPoint;
  }

  /** Bytes of local batches, indexes not counted. */
  @Override
  public long sizeBytes() {
    return state().sizeBytes();
  }

  public int segmentCount() {
    return state().segments.size();
  }

  public long activeSegmentBaseOffset() {
    return state().active().baseOffset();
  }

  public long activeSegmentBytes() {
    return state().active().end().sizeBytes();
  }

  /** Whether the page cache can be trusted to hold what lies at the offset and above. */
  public boolean hot(long offset) {
    return state().hot.holds(offset);
  }

  /**
   * Whether {@link #appendAsLeader} of a client's records would neither decompress, roll nor wait
   * for the disk, so that an event loop may do it (design D10).
   */
  public boolean appendsInline(MemoryRecords records, int leaderEpoch, long nowMs) {
    return now.appender().inline(records, leaderEpoch, nowMs);
  }

  /**
   * Validates, assigns offsets and epoch in place and writes. The records' buffer must be writable;
   * it is not kept.
   *
   * @throws org.apache.kafka.common.errors.ApiException as Kafka would answer: CORRUPT_MESSAGE,
   *     MESSAGE_TOO_LARGE, INVALID_TIMESTAMP, OUT_OF_ORDER_SEQUENCE_NUMBER and their like; nothing
   *     was written then
   */
  public Appended appendAsLeader(
      MemoryRecords records, int leaderEpoch, AppendOrigin origin, long nowMs) {
    return appendAsLeader(records, AppendTerms.of(leaderEpoch, origin), nowMs);
  }

  /** As above, for transactions. */
  public Appended appendAsLeader(MemoryRecords records, AppendTerms terms, long nowMs) {
    Appended appended = now.appender().leader(records, terms, nowMs);
    now.sealer().afterAppend();
    return appended;
  }

  /**
   * Writes what a leader already numbered, up to the first batch of an epoch above {@code
   * leaderEpoch} (KAFKA-18723), one too far above the first for a segment to hold both, or a torn
   * one.
   */
  public Appended appendAsFollower(MemoryRecords records, int leaderEpoch) {
    Appended appended = now.appender().follower(records, leaderEpoch);
    now.sealer().afterAppend();
    return appended;
  }

  /** Starts the verification of a transaction, or the sentinel when it is already open here. */
  public VerificationGuard beginVerification(
      long producerId, int sequence, short epoch, boolean supportsEpochBump) {
    LogState state = state();
    synchronized (state.lock) {
      return state.producers.beginVerification(producerId, sequence, epoch, supportsEpochBump);
    }
  }

  /**
   * Batches from the one that holds the offset on, within one segment.
   *
   * @param upperBoundOffset only batches that end below it: high watermark, last stable offset or
   *     log end
   * @param atLeastOneBatch the first batch even if it is larger than {@code maxBytes}
   * @throws OffsetOutOfRangeException below the local log start or above the log end
   */
  public LogRead read(long offset, int maxBytes, long upperBoundOffset, boolean atLeastOneBatch) {
    return call(
        "read", log -> log.reader().read(offset, maxBytes, upperBoundOffset, atLeastOneBatch));
  }

  /**
   * The first local record, by offset, whose timestamp is at least the one asked for; blocks on
   * disk and may decompress a batch.
   */
  public Optional<TimedOffset> firstReaching(long timestampMs, long upperBoundOffset) {
    return call("look up time", log -> log.reader().firstReaching(timestampMs, upperBoundOffset));
  }

  /** The first local record below the bound with the largest timestamp there; blocks on disk. */
  public Optional<TimedOffset> maxTimestamp(long upperBoundOffset) {
    return call("look up time", log -> log.reader().maxTimestamp(upperBoundOffset));
  }

  /**
   * First offset of a transaction that is open, or ended above the high watermark; the last stable
   * offset is the lower of it and the high watermark.
   */
  public OptionalLong firstUnstableOffset(long highWatermark) {
    LogState state = state();
    synchronized (state.lock) {
      return state.producers.firstUnstableOffset(highWatermark);
    }
  }

  /** Aborted transactions that overlap {@code [fromOffset, toOffset)}; blocks on disk. */
  public List<AbortedTransaction> abortedTransactions(long fromOffset, long toOffset) {
    return call("read aborted transactions", log -> log.reader().aborted(fromOffset, toOffset))
        .stream()
        .map(
            aborted ->
                new AbortedTransaction()
                    .setProducerId(aborted.producerId())
                    .setFirstOffset(aborted.firstOffset()))
        .toList();
  }

  /** For DescribeProducers. */
  public List<DescribeProducersResponseData.ProducerState> activeProducers() {
    LogState state = state();
    synchronized (state.lock) {
      return state.producers.describe();
    }
  }

  public OptionalInt latestEpoch() {
    return state().epochs.latestEpoch().map(OptionalInt::of).orElseGet(OptionalInt::empty);
  }

  /** Absent when the epoch is unknown here (KIP-101, KIP-279). */
  public Optional<EpochEnd> endOffsetForEpoch(int leaderEpoch) {
    LogState state = state();
    Map.Entry<Integer, Long> found = state.epochs.endOffsetFor(leaderEpoch, state.logEnd);
    return found.getValue() == OffsetsForLeaderEpochResponse.UNDEFINED_EPOCH_OFFSET
        ? Optional.empty()
        : Optional.of(new EpochEnd(found.getKey(), found.getValue()));
  }

  /** Ascending; the first may begin at the log start. */
  public List<EpochStart> epochs() {
    return state().epochs.epochEntries().stream()
        .map(entry -> new EpochStart(entry.epoch(), entry.startOffset()))
        .toList();
  }

  /**
   * Called by a new leader before its first append, and by a follower that starts from the tier.
   */
  public void assignEpoch(int leaderEpoch, long startOffset) {
    run(
        "assign epoch",
        log -> {
          log.state().appendEpoch = -1;
          log.state().epochs.assign(leaderEpoch, startOffset);
        });
  }

  /**
   * Drops everything at and above the offset, and with it the batch that holds it; nothing when it
   * is at or above the log end. The log ends at or, if that batch began below, before the offset.
   */
  public void truncateTo(long offset) {
    run("truncate", log -> log.trim().truncateTo(offset));
  }

  /** Drops everything local; records from {@code logStartOffset} on are in the tier. */
  public void truncateFullyAndStartAt(long offset, long logStartOffset) {
    run("truncate", log -> log.trim().truncateFullyAndStartAt(offset, logStartOffset));
  }

  /**
   * Moves the log start (DeleteRecords, retention); durable at once only if segments go, as in
   * Kafka. Lower offsets are ignored.
   *
   * @throws OffsetOutOfRangeException above the log end
   */
  @Override
  public void advanceLogStart(long offset) {
    run("advance log start", log -> log.trim().advanceLogStart(offset));
  }

  /** Closes the active segment to appends, unless it is empty; sealed off this thread. */
  public void roll() {
    run(
        "roll",
        log -> {
          LogState state = log.state();
          synchronized (state.lock) {
            state.check();
            if (state.active().end().sizeBytes() > 0) {
              state.roll(state.runtime.clock().millis());
            }
          }
        });
    now.sealer().afterAppend();
  }

  /** As {@link #roll()}, if the active segment was begun this long ago. */
  public void rollIfOlder(long ageMs, long nowMs) {
    if (nowMs - state().active().createdMs() >= ageMs) {
      roll();
    }
  }

  /** All that is appended becomes durable. */
  public void flush() {
    run("flush", log -> log.sealer().flush());
  }

  public void reconfigure(LogConfig config) {
    LogState state = state();
    synchronized (state.lock) {
      state.config = config;
      state.drawJitter();
    }
  }

  /**
   * Retention by time and size: moves the log start and deletes sealed segments, and closes the
   * active one when all has expired. While older records are in the tier alone, these expire first
   * and nothing is deleted here.
   *
   * @param limitOffset never beyond: the high watermark
   * @return segments deleted
   */
  public int deleteExpired(long nowMs, long limitOffset) {
    int deleted =
        call("delete expired segments", log -> log.trim().deleteExpired(nowMs, limitOffset));
    now.sealer().afterAppend();
    return deleted;
  }

  /** For {@code broker.log.clean}. */
  public CleanableLog cleanable() {
    return new CleanableLog(state());
  }

  @Override
  public List<SealedSegment> sealedSegments(long fromOffset, long limitOffset, int max) {
    return call("list sealed segments", log -> log.sealedList().from(fromOffset, limitOffset, max));
  }

  @Override
  public long release(CommittedSegment segment) {
    return call("release segments", log -> log.trim().release(segment.entry().endOffset()));
  }

  /**
   * Frees what is in the tier as far as local retention wants, on a follower, by its leader's word.
   *
   * @param tieredEnd a committed manifest version covers all below
   */
  public void releaseTiered(long tieredEnd, TierPolicy policy, long nowMs) {
    run("release segments", log -> log.trim().releaseTiered(tieredEnd, policy, nowMs));
  }

  /**
   * Frees the oldest segment that is in the tier, because its room is wanted.
   *
   * @param tieredEnd a committed manifest version covers all below
   * @return bytes freed, 0 if there is none
   */
  public long releaseOldestTiered(long tieredEnd) {
    return call("release a segment", log -> log.trim().releaseOldestTiered(tieredEnd));
  }

  /** Periodic work; true if there was any. */
  boolean maintain(long nowMs, boolean expireProducers) {
    return now.maintain(nowMs, expireProducers);
  }

  /** A step that moves the log's directory and gives its new place. */
  interface Move {
    Path move(Path from) throws IOException;
  }

  /** Ends the use of the log; its files go elsewhere. */
  Path detach(Move move) throws IOException {
    return now.detach(move);
  }

  void closeCleanly() {
    run("close", log -> log.sealer().close());
  }

  /** Readers with a hold go on. */
  void closeFiles() {
    now.closeFiles();
  }

  /** A step on this log's disk. */
  public interface DiskStep<T> {
    T run() throws IOException;
  }

  /** Runs a step of a cleaner's; its {@link IOException} takes the directory offline. */
  public <T> T whenDiskFails(String what, DiskStep<T> step) {
    return call(what, log -> step.run());
  }

  /** Again if the log was moved to another directory meanwhile. */
  private <T> T call(String what, LogParts.Work<T> work) {
    LogParts log = now;
    while (true) {
      try {
        return log.call(what, work);
      } catch (KafkaStorageException failure) {
        if (log.state() == now.state()) {
          throw failure;
        }
        log = now;
      }
    }
  }

  private void run(String what, LogParts.Task task) {
    var unused =
        call(
            what,
            log -> {
              task.on(log);
              return log;
            });
  }

  @Override
  public String toString() {
    return path() + " to " + logEndOffset();
  }
}

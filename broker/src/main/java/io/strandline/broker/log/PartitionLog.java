package io.strandline.broker.log;

import io.strandline.tiering.manifest.CommittedSegment;
import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.seal.SegmentSource;
import io.strandline.tiering.segment.EpochStart;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.record.internal.MemoryRecords;
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
@SuppressWarnings("DoNotCallSuggester")
public final class PartitionLog implements SegmentSource, LocalSegments {
  private PartitionLog() {}

  /**
   * How a leader's append is to be judged.
   *
   * @param guard of {@link #beginVerification}, or the sentinel (KIP-890)
   * @param transactionVersion of a marker (KIP-1228), or -1 for data
   */
  public record AppendTerms(
      int leaderEpoch, AppendOrigin origin, VerificationGuard guard, short transactionVersion) {
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
    throw new UnsupportedOperationException();
  }

  public LogDirectory directory() {
    throw new UnsupportedOperationException();
  }

  public Path path() {
    throw new UnsupportedOperationException();
  }

  public LogConfig config() {
    throw new UnsupportedOperationException();
  }

  /** First offset of the partition, wherever it lies. */
  @Override
  public long logStartOffset() {
    throw new UnsupportedOperationException();
  }

  /** First offset that can be read here. */
  @Override
  public long localLogStartOffset() {
    throw new UnsupportedOperationException();
  }

  /** The offset the next record gets. */
  public long logEndOffset() {
    throw new UnsupportedOperationException();
  }

  /** All below is durable. */
  public long recoveryPoint() {
    throw new UnsupportedOperationException();
  }

  /** Bytes of local batches, indexes not counted. */
  @Override
  public long sizeBytes() {
    throw new UnsupportedOperationException();
  }

  public int segmentCount() {
    throw new UnsupportedOperationException();
  }

  public long activeSegmentBaseOffset() {
    throw new UnsupportedOperationException();
  }

  /**
   * Whether {@link #appendAsLeader} of a client's records would neither decompress, roll nor wait
   * for the disk, so that an event loop may do it (design D10).
   */
  public boolean appendsInline(MemoryRecords records, int leaderEpoch, long nowMs) {
    throw new UnsupportedOperationException();
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
    throw new UnsupportedOperationException();
  }

  /**
   * Writes what a leader already numbered; batches of an epoch above {@code leaderEpoch} and those
   * after them are left out (KAFKA-18723), as is a torn last batch.
   */
  public Appended appendAsFollower(MemoryRecords records, int leaderEpoch) {
    throw new UnsupportedOperationException();
  }

  /** Starts the verification of a transaction, or the sentinel when it is already open here. */
  public VerificationGuard beginVerification(
      long producerId, int sequence, short epoch, boolean supportsEpochBump) {
    throw new UnsupportedOperationException();
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
    throw new UnsupportedOperationException();
  }

  /**
   * The first local record, by offset, whose timestamp is at least the one asked for; blocks on
   * disk and may decompress a batch.
   */
  public Optional<TimedOffset> firstReaching(long timestampMs, long upperBoundOffset) {
    throw new UnsupportedOperationException();
  }

  /** The first local record with the largest timestamp; blocks on disk. */
  public Optional<TimedOffset> maxTimestampOffset() {
    throw new UnsupportedOperationException();
  }

  /**
   * First offset of a transaction that is open, or ended above the high watermark; the last stable
   * offset is the lower of it and the high watermark.
   */
  public OptionalLong firstUnstableOffset(long highWatermark) {
    throw new UnsupportedOperationException();
  }

  /** Aborted transactions that overlap {@code [fromOffset, toOffset)}; blocks on disk. */
  public List<AbortedTransaction> abortedTransactions(long fromOffset, long toOffset) {
    throw new UnsupportedOperationException();
  }

  /** For DescribeProducers. */
  public List<DescribeProducersResponseData.ProducerState> activeProducers() {
    throw new UnsupportedOperationException();
  }

  public OptionalInt latestEpoch() {
    throw new UnsupportedOperationException();
  }

  /** Absent when the epoch is unknown here (KIP-101, KIP-279). */
  public Optional<EpochEnd> endOffsetForEpoch(int leaderEpoch) {
    throw new UnsupportedOperationException();
  }

  /** Ascending; the first may begin at the log start. */
  public List<EpochStart> epochs() {
    throw new UnsupportedOperationException();
  }

  /**
   * Called by a new leader before its first append, and by a follower that starts from the tier.
   */
  public void assignEpoch(int leaderEpoch, long startOffset) {
    throw new UnsupportedOperationException();
  }

  /** Drops everything at and above the offset; nothing when it is at or above the log end. */
  public void truncateTo(long offset) {
    throw new UnsupportedOperationException();
  }

  /** Drops everything; the log, its start included, begins anew at the offset. */
  public void truncateFullyAndStartAt(long offset) {
    throw new UnsupportedOperationException();
  }

  /** Drops everything local; records from {@code logStartOffset} on are in the tier. */
  public void truncateFullyAndStartAt(long offset, long logStartOffset) {
    throw new UnsupportedOperationException();
  }

  /**
   * Moves the log start (DeleteRecords, retention); not durable at once, as in Kafka. Lower offsets
   * are ignored.
   *
   * @throws OffsetOutOfRangeException above the log end
   */
  @Override
  public void advanceLogStart(long offset) {
    throw new UnsupportedOperationException();
  }

  /** Closes the active segment to appends, unless it is empty; sealed off this thread. */
  public void roll() {
    throw new UnsupportedOperationException();
  }

  /** All that is appended becomes durable. */
  public void flush() {
    throw new UnsupportedOperationException();
  }

  public void reconfigure(LogConfig config) {
    throw new UnsupportedOperationException();
  }

  /**
   * Retention by time, size and log start of a topic that has no tier: moves the log start and
   * deletes sealed segments.
   *
   * @param limitOffset never beyond: the high watermark
   * @return segments deleted
   */
  public int deleteExpired(long nowMs, long limitOffset) {
    throw new UnsupportedOperationException();
  }

  @Override
  public List<SealedSegment> sealedSegments(long fromOffset, long limitOffset, int max) {
    throw new UnsupportedOperationException();
  }

  @Override
  public long release(CommittedSegment segment) {
    throw new UnsupportedOperationException();
  }
}

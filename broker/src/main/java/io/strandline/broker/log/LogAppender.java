package io.strandline.broker.log;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.log.ProducerStates.Judged;
import io.strandline.broker.log.check.LeaderBatch;
import io.strandline.broker.log.check.LeaderCheck;
import io.strandline.broker.log.check.LeaderCheck.Checked;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.broker.log.segment.OffsetIndex;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.RecordBatchTooLargeException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.server.storage.log.UnexpectedAppendOffsetException;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.BatchMetadata;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.apache.kafka.storage.internals.log.OffsetsOutOfOrderException;
import org.jspecify.annotations.Nullable;

/**
 * Appends. The order is what recovery relies on: producers judged → epoch durable → segment rolled
 * → bytes → index → end published → producers updated.
 */
final class LogAppender {
  private static final int INLINE_BYTES_MAX = 1 << 20;

  private final LogState state;
  private final LeaderCheck check;

  /** What {@link #inline} was asked about last: as a rule it is appended next. The owner's. */
  private @Nullable LeaderBatch asked;

  LogAppender(LogState state) {
    this.state = state;
    this.check =
        new LeaderCheck(
            state.partition.topicPartition(),
            state.runtime.settings().walkRecords(),
            state.runtime.settings().strictValidation(),
            state.runtime.settings().bounds(),
            state.meters);
  }

  /** What is known of numbered batches before they are written. */
  private record Write(
      MemoryRecords records,
      List<? extends RecordBatch> batches,
      long maxTimestampMs,
      long logAppendTimeMs,
      int recordCount) {
    long firstOffset() {
      return batches.get(0).baseOffset();
    }

    long lastOffset() {
      return batches.get(batches.size() - 1).lastOffset();
    }
  }

  boolean inline(MemoryRecords records, int leaderEpoch, long nowMs) {
    if (records.sizeInBytes() >= INLINE_BYTES_MAX || !state.health.online()) {
      return false;
    }
    LeaderBatch given = LeaderBatch.of(records);
    asked = given;
    RecordBatch batch = given.first();
    LogConfig config = state.config;
    return batch != null
        && given.single()
        && batch.magic() == RecordBatch.CURRENT_MAGIC_VALUE
        && newest(leaderEpoch)
        && state.unflushedRecords.get() + recordsIn(batch) < config.flushInterval
        && check.fitsHeader(
            batch,
            given.bytes(),
            new LeaderCheck.From(leaderEpoch, AppendOrigin.CLIENT),
            config,
            nowMs)
        && !rollDue(batch.maxTimestamp(), state.logEnd, batch.sizeInBytes(), nowMs)
        && !snapshotDue(batch);
  }

  /** Whether an append of the batch writes a snapshot of the producers. */
  private boolean snapshotDue(RecordBatch batch) {
    synchronized (state.lock) {
      return state.producers.snapshotDue(1, batch.sizeInBytes(), batch.hasProducerId());
    }
  }

  /** Whether an append in this epoch finds it assigned, and so writes no checkpoint. */
  private boolean newest(int leaderEpoch) {
    return state.appendEpoch == leaderEpoch
        || state.epochs.latestEpoch().filter(epoch -> epoch == leaderEpoch).isPresent();
  }

  /** Parsed already when the question was answered just before. */
  @SuppressWarnings("ReferenceEquality") // is it the very append that was asked about?
  private LeaderBatch parsed(MemoryRecords records) {
    LeaderBatch given = asked;
    asked = null;
    return given != null && given.records() == records ? given : LeaderBatch.of(records);
  }

  Appended leader(MemoryRecords records, AppendTerms terms, long nowMs) {
    synchronized (state.lock) {
      state.check();
      Checked checked =
          check.check(
              parsed(records),
              new LeaderCheck.From(terms.leaderEpoch(), terms.origin()),
              state.config,
              state.logEnd,
              nowMs);
      RecordBatch batch = checked.batch();
      Write write =
          new Write(
              checked.records(),
              List.of(batch),
              batch.maxTimestamp(),
              checked.logAppendTimeMs(),
              recordsIn(batch));
      return append(write, terms, nowMs);
    }
  }

  Appended follower(MemoryRecords records, int leaderEpoch) {
    synchronized (state.lock) {
      state.check();
      Write write = numbered(records, leaderEpoch);
      if (write == null) {
        return new Appended(-1, -1, -1, -1, state.logStart, 0, 0, false);
      }
      if (write.firstOffset() < state.logEnd) {
        throw new UnexpectedAppendOffsetException(
            "append to "
                + state.partition
                + " begins at "
                + write.firstOffset()
                + ", below the log's end "
                + state.logEnd,
            write.firstOffset(),
            write.lastOffset());
      }
      return append(
          write,
          AppendTerms.of(leaderEpoch, AppendOrigin.REPLICATION),
          state.runtime.clock().millis());
    }
  }

  private @Nullable Write numbered(MemoryRecords records, int leaderEpoch) {
    List<MutableRecordBatch> batches = new ArrayList<>();
    int sizeBytes = 0;
    int count = 0;
    long maxTimestamp = RecordBatch.NO_TIMESTAMP;
    long first = -1;
    long last = -1;
    boolean dense = true;
    for (MutableRecordBatch batch : records.batches()) {
      if (batch.partitionLeaderEpoch() > leaderEpoch) {
        break;
      }
      if (!batch.isValid()) {
        throw new CorruptRecordException(
            "corrupt batch at " + batch.baseOffset() + " from the leader of " + state.partition);
      }
      if (batch.lastOffset() <= last) {
        throw new OffsetsOutOfOrderException(
            "offset " + batch.lastOffset() + " after " + last + " in append to " + state.partition);
      }
      if (last < 0) {
        first = batch.baseOffset();
      } else if (!OffsetIndex.reaches(first, batch.lastOffset())) {
        break; // no segment holds both
      }
      dense &= follows(last < 0 ? state.logEnd : last + 1, batch);
      last = batch.lastOffset();
      sizeBytes += batch.sizeInBytes();
      maxTimestamp = Math.max(maxTimestamp, batch.maxTimestamp());
      count += recordsIn(batch);
      batches.add(batch);
    }
    if (!dense) {
      state.producers.missesSome();
    }
    if (batches.isEmpty()) {
      return null;
    }
    ByteBuffer bytes = records.buffer();
    MemoryRecords whole = MemoryRecords.readableRecords(bytes.slice(bytes.position(), sizeBytes));
    return new Write(whole, batches, maxTimestamp, RecordBatch.NO_TIMESTAMP, count);
  }

  /** Whether no batch of a producer was compacted away before this one; older formats name none. */
  private static boolean follows(long nextOffset, RecordBatch batch) {
    return batch.magic() < RecordBatch.MAGIC_VALUE_V2 || batch.baseOffset() <= nextOffset;
  }

  /** As the header tells; 0 where it does not. */
  private static int recordsIn(RecordBatch batch) {
    Integer count = batch.countOrNull();
    return count == null ? 0 : count;
  }

  private Appended append(Write write, AppendTerms terms, long nowMs) {
    int sizeBytes = write.records.sizeInBytes();
    if (sizeBytes > state.config.segmentSize() && terms.origin() != AppendOrigin.REPLICATION) {
      throw new RecordBatchTooLargeException(
          "append of "
              + sizeBytes
              + " bytes to "
              + state.partition
              + " is larger than a segment may be: "
              + state.config.segmentSize());
    }
    Judged judged = state.producers.judge(write.batches, terms);
    BatchMetadata duplicate = judged.duplicate();
    if (duplicate != null) {
      state.meters.duplicates.increment();
      return new Appended(
          duplicate.firstOffset(),
          duplicate.lastOffset(),
          duplicate.timestamp(),
          state.config.messageTimestampType == TimestampType.LOG_APPEND_TIME
              ? duplicate.timestamp()
              : RecordBatch.NO_TIMESTAMP,
          state.logStart,
          0,
          write.recordCount,
          true);
    }
    try {
      store(write, judged, nowMs);
    } catch (IOException | KafkaStorageException e) {
      throw state.health.failed("append to " + state.partition, e);
    }
    state.hot.wrote(write.firstOffset(), sizeBytes);
    state.meters.appendedBytes.increment(sizeBytes);
    state.meters.appendedRecords.increment(write.recordCount);
    return new Appended(
        write.firstOffset(),
        write.lastOffset(),
        write.maxTimestampMs,
        write.logAppendTimeMs,
        state.logStart,
        sizeBytes,
        write.recordCount,
        false);
  }

  private void store(Write write, Judged judged, long nowMs) throws IOException {
    for (RecordBatch batch : write.batches) {
      int epoch = batch.partitionLeaderEpoch();
      if (batch.magic() >= RecordBatch.MAGIC_VALUE_V2 && epoch >= 0 && epoch != state.appendEpoch) {
        state.epochs.assign(epoch, batch.baseOffset());
        state.appendEpoch = epoch;
      }
    }
    LogSegment segment = segmentFor(write, nowMs);
    int position = segment.end().sizeBytes();
    if (position == 0) {
      segment.begun(nowMs);
    }
    segment.write(write.records.buffer().duplicate());
    for (RecordBatch batch : write.batches) {
      int size = batch.sizeInBytes();
      segment.index(
          batch.lastOffset(), batch.maxTimestamp(), position, size, state.config.indexInterval);
      position += size;
    }
    segment.publish(position, write.lastOffset() + 1);
    state.logEnd = write.lastOffset() + 1;
    state.unflushedRecords.addAndGet(write.recordCount);
    state.producers.accept(judged, segment.aborted(), state.logEnd);
    state.producers.wrote(write.batches.size(), write.records.sizeInBytes());
  }

  private LogSegment segmentFor(Write write, long nowMs) throws IOException {
    int sizeBytes = write.records.sizeInBytes();
    if (!rollDue(write.maxTimestampMs, write.lastOffset(), sizeBytes, nowMs)) {
      return state.active();
    }
    // From the log's end on, so that no segment seems to be missing, unless compaction left so wide
    // a hole that the segment could not reach across it.
    boolean reaches = OffsetIndex.reaches(state.logEnd, write.lastOffset());
    return state.roll(reaches ? state.logEnd : write.firstOffset(), nowMs);
  }

  private boolean rollDue(long timestampMs, long lastOffset, int sizeBytes, long nowMs) {
    LogSegment active = state.active();
    LogConfig config = state.config;
    return !OffsetIndex.reaches(active.baseOffset(), lastOffset)
        || (active.end().sizeBytes() > 0
            && (!active.fits(sizeBytes, config.segmentSize())
                || active.indexFull(config.maxIndexSize)
                || (active.ageMs(timestampMs, nowMs) > config.maxSegmentMs() - state.jitterMs
                    && !state.runtime.open().sealsLag())));
  }
}

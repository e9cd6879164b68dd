package io.strandline.broker.log;

import io.strandline.broker.log.segment.LogFiles;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.broker.log.segment.SegmentReader;
import io.strandline.tiering.reclaim.LocalRelease;
import io.strandline.tiering.reclaim.TierPolicy;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Cuts a log at either end. What must be durable first: the log start before files below it go,
 * lower checkpoints of recovery and cleaner before the log is cut under them. Files go in two
 * steps: renamed to {@code .deleted} now, deleted after {@code file.delete.delay.ms}; highest first
 * at the end, lowest first at the start, so that a crash in between leaves no hole.
 */
final class LogTrim {
  private static final Logger LOG = LoggerFactory.getLogger(LogTrim.class);

  private final LogState state;

  LogTrim(LogState state) {
    this.state = state;
  }

  /** Drops everything at and above the offset. */
  void truncateTo(long offset) throws IOException {
    synchronized (state.sealing) {
      synchronized (state.lock) {
        state.check();
        if (offset >= state.logEnd) {
          state.epochs.truncateFromEndAsyncFlush(state.logEnd);
          state.appendEpoch = -1;
        } else if (offset < state.segments.firstKey()) {
          startAt(offset, Math.min(offset, state.logStart));
        } else {
          cutAtBatch(offset);
        }
      }
    }
  }

  /**
   * A cut within a batch takes the batch with it, and the log ends where that began: a hole before
   * the next batch would, after a crash, look like lost bytes. Whoever copies from a leader asks
   * again for the few records in between.
   */
  private void cutAtBatch(long offset) throws IOException {
    LogSegment segment = state.segments.floorEntry(offset).getValue();
    long end = boundaryAt(segment, offset);
    LOG.atInfo()
        .addKeyValue("partition", state.partition)
        .addKeyValue("offset", end)
        .log("truncated");
    if (end < state.localStart && state.localStart <= offset) {
      startAt(state.localStart, state.logStart); // nothing that is left may be read
    } else {
      cut(end);
    }
  }

  private static long boundaryAt(LogSegment segment, long offset) throws IOException {
    segment.require();
    try {
      return new SegmentReader(segment).boundaryAt(offset);
    } finally {
      segment.release();
    }
  }

  private void cut(long offset) throws IOException {
    lowerCheckpoints(offset);
    boolean quiet = state.producers.noneBelow(offset);
    state.logEnd = offset;
    while (state.active().baseOffset() > offset) {
      retire(state.active());
    }
    LogSegment active = state.active();
    active.reopen();
    active.truncate(new SegmentReader(active).positionOf(offset), offset);
    // Else a power cut could bring back what was cut off, below a high watermark that has since
    // passed over what a later leader wrote in its place.
    active.force();
    state.runtime.disk().forceDirectory(state.path);
    state.epochs.truncateFromEndAsyncFlush(offset);
    state.appendEpoch = -1;
    state.logStart = Math.min(offset, state.logStart);
    state.localStart = Math.min(offset, state.localStart);
    reloadProducers(offset, quiet);
    state.namesDue = true;
    state.cuts.incrementAndGet();
  }

  private void reloadProducers(long offset, boolean quiet) throws IOException {
    state.producers.load(state.logStart, offset, state.runtime.clock().millis());
    if (!quiet) {
      LogRecovery.replay(state.segments, state.producers, offset);
    }
    state.producers.advanceTo(offset);
  }

  /** Drops everything; local records will begin at the offset, the partition's at the log start. */
  void truncateFullyAndStartAt(long offset, long logStartOffset) throws IOException {
    synchronized (state.sealing) {
      synchronized (state.lock) {
        state.check();
        startAt(offset, logStartOffset);
      }
    }
  }

  private void startAt(long offset, long logStartOffset) throws IOException {
    LOG.atInfo()
        .addKeyValue("partition", state.partition)
        .addKeyValue("offset", offset)
        .log("emptied");
    lowerCheckpoints(offset);
    state.logStart = logStartOffset;
    state.directory.offsets().keepLogStart(state);
    List<LogSegment> all = new ArrayList<>(state.segments.descendingMap().values());
    for (LogSegment segment : all) {
      retire(segment);
    }
    state.add(
        LogSegment.create(
            state.runtime.open(), state.path, offset, state.runtime.clock().millis()));
    state.localStart = offset; // first: a reader at an end that moves up finds it in the tier
    state.logEnd = offset;
    state.recoveryPoint = offset;
    state.epochs.clearAndFlush();
    state.appendEpoch = -1;
    state.producers.truncateFullyAndStartAt(offset);
    state.unflushedRecords.set(0);
    state.runtime.disk().forceDirectory(state.path);
  }

  private void lowerCheckpoints(long offset) throws IOException {
    // Else a log that grew again would have the cleaner take what was never compacted for clean.
    state.directory.offsets().lowerCleaned(state.partition.topicPartition(), offset);
    if (state.recoveryPoint > offset) {
      state.recoveryPoint = offset;
      state.directory.offsets().lowerRecoveryPoint(state);
    }
  }

  /** Moves the log start; segments wholly below it go. */
  void advanceLogStart(long offset) throws IOException {
    synchronized (state.lock) {
      state.check();
      if (offset > state.logEnd) {
        throw new OffsetOutOfRangeException(
            "log start " + offset + " of " + state.partition + " is above its end " + state.logEnd);
      }
      if (offset <= state.logStart) {
        return;
      }
      state.logStart = offset;
      state.localStart = Math.max(state.localStart, offset);
      state.epochs.truncateFromStartAsyncFlush(offset);
      state.producers.logStartAdvanced(offset);
      deleteBelowStart();
    }
  }

  /** Deletes sealed segments wholly below the log start. */
  int deleteBelowStart() throws IOException {
    synchronized (state.lock) {
      state.check();
      List<LogSegment> gone = head(segment -> state.endOf(segment) <= state.logStart);
      if (!gone.isEmpty()) {
        shed(gone);
      }
      return gone.size();
    }
  }

  /**
   * Deletes sealed segments that end at or below the offset, which are in the tier.
   *
   * @return bytes freed
   */
  long release(long endOffset) throws IOException {
    synchronized (state.lock) {
      state.check();
      return released(head(segment -> state.endOf(segment) <= endOffset));
    }
  }

  /**
   * Deletes sealed segments that local retention wants gone and that the tier has.
   *
   * @param tieredEnd the tier has all below
   * @return bytes freed
   */
  long releaseTiered(long tieredEnd, TierPolicy policy, long nowMs) throws IOException {
    synchronized (state.lock) {
      state.check();
      long[] left = {state.sizeBytes()};
      List<LogSegment> gone =
          head(
              segment -> {
                long bytes = segment.end().sizeBytes();
                boolean due =
                    state.endOf(segment) <= tieredEnd
                        && LocalRelease.wanted(newest(segment), bytes, left[0], policy, nowMs);
                left[0] -= bytes;
                return due;
              });
      return released(gone);
    }
  }

  /**
   * Deletes the oldest sealed segment, whatever local retention says, if the tier has it.
   *
   * @return bytes freed
   */
  long releaseOldestTiered(long tieredEnd) throws IOException {
    synchronized (state.lock) {
      state.check();
      List<LogSegment> gone = head(segment -> state.endOf(segment) <= tieredEnd);
      return released(gone.subList(0, Math.min(1, gone.size())));
    }
  }

  private long released(List<LogSegment> gone) throws IOException {
    if (gone.isEmpty()) {
      return 0;
    }
    long bytes = shed(gone);
    state.meters.releasedBytes.increment((double) bytes);
    return bytes;
  }

  /** In ms; when the segment was begun if none of its records has a time. */
  private long newest(LogSegment segment) {
    segment.require();
    try {
      long newest = segment.maxTimestampMs();
      return newest < 0 ? segment.createdMs() : newest;
    } catch (IOException e) {
      throw state.health.failed("read the time index of " + segment, e);
    } finally {
      segment.release();
    }
  }

  /** Retention by the local log alone; see {@link PartitionLog#deleteExpired}. */
  int deleteExpired(long nowMs, long limitOffset) throws IOException {
    synchronized (state.lock) {
      state.check();
      if (!state.config.delete) {
        return 0;
      }
      // What is older and only in the tier goes first, or the log start would jump over it.
      boolean whole = state.localStart <= state.logStart;
      boolean bounded = whole && state.config.retentionSize >= 0;
      long[] excess = {bounded ? state.sizeBytes() - state.config.retentionSize : -1};
      Predicate<LogSegment> expired =
          segment ->
              state.endOf(segment) <= limitOffset
                  && (tooMuch(segment, excess) || tooOld(segment, nowMs));
      List<LogSegment> gone = head(expired);
      LogSegment active = state.active();
      // As in Kafka: when all the rest has expired the active one is closed, to go next time.
      boolean rolls =
          gone.size() == state.segments.size() - 1
              && active.end().sizeBytes() > 0
              && expired.test(active);
      if (whole && !gone.isEmpty()) {
        advanceLogStart(state.endOf(gone.get(gone.size() - 1)));
      }
      if (rolls) {
        state.roll(nowMs);
      }
      return whole ? gone.size() : 0;
    }
  }

  private boolean tooOld(LogSegment segment, long nowMs) {
    long retentionMs = state.config.retentionMs;
    if (retentionMs < 0) {
      return false;
    }
    return nowMs - newest(segment) > retentionMs;
  }

  /** Asked of every segment that goes, for whatever reason: each makes the log smaller. */
  private static boolean tooMuch(LogSegment segment, long[] excess) {
    excess[0] -= segment.end().sizeBytes();
    return excess[0] >= 0;
  }

  /** The sealed segments from the first on that the test wants, never the active one. */
  private List<LogSegment> head(Predicate<LogSegment> wanted) {
    List<LogSegment> head = new ArrayList<>();
    for (LogSegment segment : state.segments.values()) {
      if (segment == state.active() || !segment.sealed() || !wanted.test(segment)) {
        break;
      }
      head.add(segment);
    }
    return head;
  }

  /** Removes segments from the start. Readers see the new start before the first is gone. */
  private long shed(List<LogSegment> head) throws IOException {
    long start = state.endOf(head.get(head.size() - 1));
    state.directory.offsets().keepLogStart(state);
    state.localStart = Math.max(state.localStart, start);
    long bytes = 0;
    for (LogSegment segment : head) {
      bytes += segment.end().sizeBytes();
      retire(segment);
    }
    state.producers.deleteSnapshotsBefore(start);
    state.namesDue = true;
    LOG.atDebug()
        .addKeyValue("partition", state.partition)
        .addKeyValue("offset", start)
        .addKeyValue("bytes", bytes)
        .log("local start advanced");
    return bytes;
  }

  /** Takes a segment out of the log, unless another has its place, and its files away. */
  void retire(LogSegment segment) throws IOException {
    state.remove(segment);
    segment.rename(LogFiles.DELETED);
    state.directory.going(segment.end().sizeBytes());
    segment.leave();
    var unused =
        state
            .runtime
            .scheduler()
            .schedule(
                () -> state.runtime.executor().execute(() -> delete(segment)),
                state.directory.deleteDelayMs(state.config.fileDeleteDelayMs),
                TimeUnit.MILLISECONDS);
  }

  private void delete(LogSegment segment) {
    try {
      segment.delete();
    } catch (IOException e) {
      state.health.failed("delete " + segment, e);
    } finally {
      state.directory.going(-segment.end().sizeBytes());
    }
  }
}

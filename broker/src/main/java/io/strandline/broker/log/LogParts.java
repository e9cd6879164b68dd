package io.strandline.broker.log;

import io.strandline.broker.log.PartitionLog.Move;
import io.strandline.broker.log.segment.LogSegment;
import java.io.IOException;
import java.nio.channels.ClosedChannelException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import org.apache.kafka.common.errors.KafkaStorageException;

/** What carries a log's work out in the directory where it lies now. */
record LogParts(
    LogState state,
    LogAppender appender,
    LogReader reader,
    LogTrim trim,
    Sealer sealer,
    SealedList sealedList) {
  static LogParts of(LogState state) {
    LogReader reader = new LogReader(state);
    return new LogParts(
        state,
        new LogAppender(state),
        reader,
        new LogTrim(state),
        new Sealer(state),
        new SealedList(state, reader));
  }

  /** Work on the log's disk. */
  interface Work<T> {
    T on(LogParts log) throws IOException;
  }

  /** Work on the log's disk that gives nothing. */
  interface Task {
    void on(LogParts log) throws IOException;
  }

  /**
   * Does it; a failure of the disk takes the directory offline. Work that waits for a lock asks
   * again, under it, whether the log is closed.
   */
  <T> T call(String what, Work<T> work) {
    state.check();
    return state.health.call(what + " of " + state.partition, () -> orGone(work));
  }

  /** A file that went with its log, under a reader's hand, is no failure of the disk. */
  private <T> T orGone(Work<T> work) throws IOException {
    try {
      return work.on(this);
    } catch (NoSuchFileException | ClosedChannelException e) {
      if (state.parted()) {
        throw state.gone();
      }
      throw e;
    }
  }

  /** Periodic work; true if there was any. A log that is closed meanwhile has none. */
  boolean maintain(long nowMs, boolean expireProducers) {
    try {
      return !state.closed && work(nowMs, expireProducers);
    } catch (KafkaStorageException e) {
      if (state.closed && state.health.online()) {
        return false;
      }
      throw e;
    }
  }

  private boolean work(long nowMs, boolean expireProducers) {
    boolean rolled = call("roll", log -> log.rollIfOld(nowMs));
    boolean deleted = call("delete below start", log -> log.trim.deleteBelowStart() > 0);
    if (expireProducers) {
      synchronized (state.lock) {
        state.producers.removeExpired(nowMs);
      }
    }
    boolean flushDue =
        state.unflushedRecords.get() > 0
            && LogRuntime.passed(state.lastFlushMs, nowMs, state.config.flushMs);
    if (flushDue) {
      sealer.flush();
    }
    sealer.afterAppend();
    state.segments.values().forEach(LogSegment::rest);
    return rolled || deleted || flushDue;
  }

  private boolean rollIfOld(long nowMs) throws IOException {
    synchronized (state.lock) {
      state.check();
      LogSegment active = state.active();
      boolean old =
          active.end().sizeBytes() > 0
              && !state.runtime.open().sealsLag()
              && nowMs - active.createdMs() > state.config.maxSegmentMs() - state.jitterMs;
      if (old) {
        state.roll(nowMs);
      }
      return old;
    }
  }

  /** Ends the use of the log; its files go elsewhere. */
  Path detach(Move move) throws IOException {
    synchronized (state.sealing) {
      synchronized (state.lock) {
        state.leaving = true;
        Path gone = move.move(state.path);
        state.producers.moved(gone);
        state.parting(gone);
        return gone;
      }
    }
  }

  /** Readers with a hold go on. */
  void closeFiles() {
    synchronized (state.sealing) {
      synchronized (state.lock) {
        state.close();
      }
    }
  }
}

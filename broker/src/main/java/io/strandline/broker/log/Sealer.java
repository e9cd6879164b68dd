package io.strandline.broker.log;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.segment.LogSegment;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Optional;
import org.apache.kafka.common.errors.KafkaStorageException;

/**
 * Makes a log durable: rolled segments wholly, with indexes, producer snapshot and directory,
 * before they are offered to the tier (design D14); the active one as far as it goes. Alone moves
 * the recovery point up. Threads: any; one works at a time.
 */
final class Sealer {
  private final LogState state;

  Sealer(LogState state) {
    this.state = state;
  }

  /** Hands waiting seals to the executor, and flushes if {@code flush.messages} says so. */
  void afterAppend() {
    if (state.sealDue) {
      sealLater();
    }
    if (state.unflushedRecords.get() >= state.config.flushInterval) {
      flush();
    }
  }

  void sealLater() {
    state.sealDue = false;
    state.runtime.executor().execute(this::sealClosed);
  }

  /** Seals what was rolled; a failure takes the directory offline and is told by its log line. */
  private void sealClosed() {
    if (state.closed || !state.health.online()) {
      return;
    }
    try {
      synchronized (state.sealing) {
        if (!state.closed) {
          seal();
        }
      }
    } catch (IOException e) {
      state.health.failed("seal " + state.partition, e);
    }
  }

  /**
   * All that was appended before the call becomes durable.
   *
   * @throws KafkaStorageException when the log is closed
   */
  void flush() {
    state.health.run(
        "flush " + state.partition,
        () -> {
          synchronized (state.sealing) {
            state.check();
            force();
          }
        });
  }

  /**
   * Flushes and writes the active segment's indexes too, so that the next start finds them; of a
   * log that is as it was found, nothing.
   */
  void close() throws IOException {
    synchronized (state.sealing) {
      state.check();
      seal();
      synchronized (state.lock) {
        state.producers.advanceTo(state.logEnd);
        boolean named = state.producers.snapshot(true);
        LogSegment active = state.active();
        if (!active.asStored()) {
          active.seal();
          named = true;
        }
        state.namesDue |= named;
        forceNames();
        reach(state.logEnd);
        state.unflushedRecords.set(0);
      }
    }
  }

  /** What is active is noted first: a roll meanwhile leaves it to be sealed, or forced, here. */
  private void force() throws IOException {
    LogSegment active;
    long end;
    long unflushed;
    synchronized (state.lock) {
      active = state.active();
      end = state.logEnd;
      unflushed = state.unflushedRecords.get();
    }
    seal();
    if (end > state.recoveryPoint || state.namesDue) {
      active.force();
      forceNames();
    }
    reach(end);
    synchronized (state.lock) {
      state.unflushedRecords.addAndGet(-unflushed);
      state.lastFlushMs = state.runtime.clock().millis();
    }
  }

  private void seal() throws IOException {
    for (LogSegment segment : state.segments.values()) {
      if (segment == state.active()) {
        return;
      }
      if (!segment.sealed()) {
        long end = state.endOf(segment);
        segment.seal();
        forceSnapshot(end);
        state.namesDue = true;
        forceNames();
        reach(end);
        segment.closeUnused(); // thousands may be sealed in the same moment
        state.meters.sealed.increment();
      }
    }
  }

  private void forceNames() throws IOException {
    if (state.namesDue) {
      state.namesDue = false;
      state.runtime.disk().forceDirectory(state.path);
    }
  }

  private void forceSnapshot(long offset) throws IOException {
    Optional<Path> snapshot = state.producers.snapshotAt(offset);
    if (snapshot.isPresent()) {
      try (Disk.File file = state.runtime.disk().open(snapshot.get(), false)) {
        file.force();
      } catch (NoSuchFileException e) {
        // Retention was faster; nobody needs it any more.
        return;
      }
    }
  }

  /** No cut can have come between: whoever cuts holds the sealing lock. */
  private void reach(long offset) {
    synchronized (state.lock) {
      state.recoveryPoint = Math.max(state.recoveryPoint, offset);
    }
  }
}

package io.strandline.broker.log;

import io.strandline.broker.log.segment.LogFiles;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.tiering.compact.CompactionRound.LastOfProducer;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * A log as its cleaner sees it: sealed segments, and the step that puts compacted ones in their
 * place. Threads: one cleaner at a time, beside the owner.
 */
public final class CleanableLog {
  private final LogState state;
  private final int cuts;

  CleanableLog(LogState state) {
    this.state = state;
    this.cuts = state.cuts.get();
  }

  public LogConfig config() {
    return state.config;
  }

  /** First offset not yet compacted, within the log. */
  public long cleanedOffset() {
    long known = state.directory.offsets().cleaned(state.partition.topicPartition());
    return known > state.logEnd ? state.localStart : Math.max(known, state.localStart);
  }

  /**
   * Makes the progress durable, unless the log is gone, and another may have its name by now, or
   * was cut below, and what comes next is not compacted.
   */
  public void cleanedTo(long offset) {
    synchronized (state.sealing) { // who closes or cuts a log holds it too; appends never wait
      if (!state.closed && offset <= state.active().baseOffset()) {
        state.health.run(
            "checkpoint cleaner",
            () -> state.directory.offsets().keepCleaned(state.partition.topicPartition(), offset));
      }
    }
  }

  /** Sealed segments from the first on that end at or below the offset. */
  public List<LogSegment> sealedBelow(long limitOffset) {
    List<LogSegment> sealed = new ArrayList<>();
    for (LogSegment segment : state.segments.values()) {
      if (segment == state.active() || !segment.sealed() || state.endOf(segment) > limitOffset) {
        break;
      }
      sealed.add(segment);
    }
    return sealed;
  }

  /** Base of the segment after it. */
  public long endOf(LogSegment segment) {
    return state.endOf(segment);
  }

  /** Whichever segment's index lists them. */
  public List<AbortedTransaction> abortedIn(LogSegment segment) throws IOException {
    return new LogReader(state).aborted(segment.baseOffset(), state.endOf(segment));
  }

  /** What active producers wrote last, which must stay known. */
  public Map<Long, LastOfProducer> lastOfProducers() {
    Map<Long, LastOfProducer> last = new HashMap<>();
    synchronized (state.lock) {
      state
          .producers
          .active()
          .forEach(
              (id, entry) ->
                  last.put(id, new LastOfProducer(entry.lastDataOffset(), entry.producerEpoch())));
    }
    return last;
  }

  /** An empty copy to be filled, sealed by its writer and given to {@link #replace}. */
  public LogSegment copy(long baseOffset) throws IOException {
    return LogSegment.createCleaned(
        state.runtime.open(), state.path, baseOffset, state.runtime.clock().millis());
  }

  /** Drops a copy that is not wanted. */
  public void discard(LogSegment copy) throws IOException {
    copy.delete();
    copy.leave();
  }

  /**
   * Puts a sealed copy in the place of successive segments, the first of the same base.
   *
   * @return false, and the copy is gone, if the log was cut since this was made: what was read of
   *     it, here or to know which keys come again, may be what was cut off
   */
  public boolean replace(List<LogSegment> old, LogSegment copy) throws IOException {
    synchronized (state.sealing) {
      synchronized (state.lock) {
        if (state.closed || state.cuts.get() != cuts || !old.stream().allMatch(this::stillThere)) {
          discard(copy);
          return false;
        }
        state.runtime.disk().forceDirectory(state.path);
        copy.rename(LogFiles.SWAP);
        state.runtime.disk().forceDirectory(state.path);
        state.add(copy);
        // Lowest first, and all before a file goes: who reads meanwhile comes upon the copy, or
        // upon
        // one of these with all that follow it.
        old.forEach(state::remove);
        LogTrim trim = new LogTrim(state);
        for (int i = old.size() - 1; i >= 0; i--) {
          trim.retire(old.get(i));
        }
        copy.rename("");
        state.runtime.disk().forceDirectory(state.path);
        return true;
      }
    }
  }

  private boolean stillThere(LogSegment segment) {
    return holds(segment) && segment != state.active();
  }

  /** Whether the log is gone from here, or about to go. */
  public boolean parted() {
    return state.parted();
  }

  /** Whether the segment is still part of the log. */
  public boolean holds(LogSegment segment) {
    return state.holds(segment);
  }
}

package io.strandline.broker.log;

import io.strandline.broker.log.PartitionLog.TimedOffset;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.broker.log.segment.SegmentReader;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.jspecify.annotations.Nullable;

/** Reads of one log, without locks. Threads: any. */
final class LogReader {
  private final LogState state;

  LogReader(LogState state) {
    this.state = state;
  }

  LogRead read(long offset, int maxBytes, long upperBoundOffset, boolean atLeastOneBatch)
      throws IOException {
    while (true) {
      state.check();
      long end = state.logEnd;
      if (offset < state.localStart || offset > end) {
        throw new OffsetOutOfRangeException(
            "offset "
                + offset
                + " of "
                + state.partition
                + " is not within "
                + state.localStart
                + " and "
                + end);
      }
      if (offset == end || offset >= upperBoundOffset) {
        return LogRead.empty(offset);
      }
      Map.Entry<Long, LogSegment> entry = state.segments.floorEntry(offset);
      while (entry != null && entry.getValue().retain()) {
        LogSegment segment = entry.getValue();
        LogRead found;
        try {
          found = within(segment, offset, maxBytes, upperBoundOffset, atLeastOneBatch);
        } catch (NoSuchFileException e) {
          if (gone(segment)) {
            break;
          }
          throw e;
        }
        if (found != null) {
          return found;
        }
        entry = state.segments.higherEntry(segment.baseOffset());
        if (gone(segment)) {
          break; // joined with the next ones, which may have gone too
        }
        if (entry == null) {
          return LogRead.empty(offset);
        }
      }
      // The segment went between look-up and use: the offset may be below the start by now.
    }
  }

  /**
   * Gives the hold on the segment back unless the answer takes it over; null when the segment has
   * no batch at or above the offset.
   */
  private static @Nullable LogRead within(
      LogSegment held, long offset, int maxBytes, long upperBoundOffset, boolean atLeastOneBatch)
      throws IOException {
    LogRead found = null;
    try {
      SegmentReader.Region region =
          new SegmentReader(held).region(offset, maxBytes, upperBoundOffset, atLeastOneBatch);
      if (region.sizeBytes() > 0) {
        found =
            LogRead.of(
                held,
                held.channel(),
                region.positionBytes(),
                region.sizeBytes(),
                region.nextOffset());
        return found;
      }
      return region.positionBytes() < held.end().sizeBytes() ? LogRead.empty(offset) : null;
    } finally {
      if (found == null) {
        held.release();
      }
    }
  }

  /**
   * Whether the segment was taken out of the log. A hold keeps open what is open, but a file that
   * was not opened yet goes with its name: who misses one then has met no failure of the disk.
   */
  private boolean gone(LogSegment segment) {
    return !state.holds(segment);
  }

  Optional<TimedOffset> firstReaching(long timestampMs, long upperBoundOffset) throws IOException {
    while (true) {
      List<LogSegment> seen = new ArrayList<>();
      Optional<SegmentReader.Found> found = firstReachingOnce(timestampMs, seen);
      if (seen.stream().noneMatch(this::replaced)) {
        return found.filter(f -> f.offset() < upperBoundOffset).map(LogReader::timed);
      }
    }
  }

  private Optional<SegmentReader.Found> firstReachingOnce(long timestampMs, List<LogSegment> seen)
      throws IOException {
    for (LogSegment segment : from(state.localStart, seen)) {
      seen.add(segment);
      if (!retained(segment)) {
        continue;
      }
      try {
        if (segment.maxTimestampMs() >= timestampMs) {
          Optional<SegmentReader.Found> found =
              new SegmentReader(segment)
                  .firstReaching(timestampMs, state.localStart, state.runtime.settings().bounds());
          if (found.isPresent()) {
            return found;
          }
        }
      } catch (NoSuchFileException e) {
        requireGone(segment, e);
      } finally {
        segment.release();
      }
    }
    return Optional.empty();
  }

  /** Takes a hold; false when the segment left the log. All are left by a log that goes. */
  private boolean retained(LogSegment segment) {
    boolean retained = segment.retain();
    if (!retained && state.parted()) {
      throw state.gone();
    }
    return retained;
  }

  /**
   * Whether the segment was taken out, and not for lying below the local start: for what does,
   * whoever asks looks elsewhere.
   */
  private boolean replaced(LogSegment segment) {
    return gone(segment) && segment.end().nextOffset() > state.localStart;
  }

  private void requireGone(LogSegment segment, NoSuchFileException missed)
      throws NoSuchFileException {
    if (!gone(segment)) {
      throw missed;
    }
  }

  private static TimedOffset timed(SegmentReader.Found found) {
    return new TimedOffset(
        found.offset(),
        found.timestampMs(),
        found.leaderEpoch() < 0 ? OptionalInt.empty() : OptionalInt.of(found.leaderEpoch()));
  }

  /** Of equal timestamps the first; what a segment says may lie outside of what is asked for. */
  Optional<TimedOffset> maxTimestamp(long upperBoundOffset) throws IOException {
    List<LogSegment> seen = new ArrayList<>();
    long max = maxTimestampOnce(seen);
    while (seen.stream().anyMatch(this::replaced)) {
      seen.clear();
      max = maxTimestampOnce(seen);
    }
    Optional<TimedOffset> found = max < 0 ? Optional.empty() : firstReaching(max, upperBoundOffset);
    if (found.isPresent() || max < 0) {
      return found;
    }
    long low = 0; // at least this late there is one, if there is any
    while (low < max) {
      long middle = low + (max - low) / 2;
      Optional<TimedOffset> there = firstReaching(middle, upperBoundOffset);
      if (there.isPresent()) {
        found = there;
        low = there.get().timestampMs() + 1;
      } else {
        max = middle;
      }
    }
    return found;
  }

  private long maxTimestampOnce(List<LogSegment> seen) throws IOException {
    long max = -1;
    for (LogSegment segment : from(state.localStart, seen)) {
      seen.add(segment);
      if (retained(segment)) {
        try {
          max = Math.max(max, segment.maxTimestampMs());
        } catch (NoSuchFileException e) {
          requireGone(segment, e);
        } finally {
          segment.release();
        }
      }
    }
    return max;
  }

  /**
   * Overlapping {@code [fromOffset, toOffset)}, in order of their markers. What lies in segments
   * that go meanwhile is left out: the caller looks whether its offsets are still here.
   */
  List<AbortedTransaction> aborted(long fromOffset, long toOffset) throws IOException {
    while (true) {
      List<AbortedTransaction> found = abortedOnce(fromOffset, toOffset);
      if (found != null) {
        return found;
      }
    }
  }

  /**
   * Null when a segment went, or was replaced, before all was read. While a copy is there already
   * and some of those that it replaces are there still, both tell of the same.
   */
  private @Nullable List<AbortedTransaction> abortedOnce(long fromOffset, long toOffset)
      throws IOException {
    List<AbortedTransaction> found = new ArrayList<>();
    List<LogSegment> seen = new ArrayList<>();
    for (LogSegment segment : from(fromOffset, seen)) {
      seen.add(segment);
      List<AbortedTransaction> entries;
      try {
        entries = segment.aborted().entries();
      } catch (NoSuchFileException e) {
        requireGone(segment, e);
        return null;
      }
      if (state.parted()) {
        throw state.gone(); // the list looks empty when the directory has another name by now
      }
      if (gone(segment)) {
        return null; // the file may have been on its way to another name, and looked absent
      }
      for (AbortedTransaction entry : entries) {
        if (entry.overlaps(fromOffset, toOffset) && isNext(entry, found)) {
          found.add(entry);
        }
        if (entry.lastStableOffset() >= toOffset) {
          return seen.stream().anyMatch(this::gone) ? null : found;
        }
      }
    }
    return seen.stream().anyMatch(this::gone) ? null : found;
  }

  private static boolean isNext(AbortedTransaction entry, List<AbortedTransaction> found) {
    return found.isEmpty() || found.get(found.size() - 1).lastOffset() < entry.lastOffset();
  }

  /**
   * From the segment that holds the offset on. A cleaner that joins segments puts the copy in the
   * place of the first, then takes the others out, lowest first: none was passed over, then, if all
   * that were seen are still there at the end.
   *
   * @param seen gets the first, which may be gone before it is come to
   */
  private Iterable<LogSegment> from(long offset, List<LogSegment> seen) {
    Map.Entry<Long, LogSegment> first = state.segments.floorEntry(offset);
    if (first == null) {
      return state.segments.values();
    }
    seen.add(first.getValue());
    return state.segments.tailMap(first.getKey(), true).values();
  }
}

package io.strandline.broker.log;

import io.strandline.broker.log.PartitionLog.TimedOffset;
import io.strandline.broker.log.segment.LogSegment;
import io.strandline.broker.log.segment.SegmentReader;
import io.strandline.tiering.segment.AbortedTransaction;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;

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
        LogRead found = null;
        try {
          SegmentReader.Region region =
              new SegmentReader(segment)
                  .region(offset, maxBytes, upperBoundOffset, atLeastOneBatch);
          if (region.sizeBytes() > 0) {
            found =
                LogRead.of(
                    segment,
                    segment.channel(),
                    region.positionBytes(),
                    region.sizeBytes(),
                    region.nextOffset());
            return found;
          }
          if (region.positionBytes() < segment.end().sizeBytes()) {
            return LogRead.empty(offset);
          }
        } finally {
          if (found == null) {
            segment.release();
          }
        }
        entry = state.segments.higherEntry(segment.baseOffset());
        if (entry == null) {
          return LogRead.empty(offset);
        }
      }
      // The segment was deleted between look-up and hold: the offset may be below the start by now.
    }
  }

  Optional<TimedOffset> firstReaching(long timestampMs, long upperBoundOffset) throws IOException {
    for (LogSegment segment : fromLocalStart()) {
      if (!held(segment)) {
        continue;
      }
      try {
        if (segment.maxTimestampMs() >= timestampMs) {
          Optional<SegmentReader.Found> found =
              new SegmentReader(segment).firstReaching(timestampMs, state.localStart);
          if (found.isPresent()) {
            return found.filter(f -> f.offset() < upperBoundOffset).map(LogReader::timed);
          }
        }
      } finally {
        segment.release();
      }
    }
    return Optional.empty();
  }

  /** Takes a hold unless the segment is deleted; one that rests is back in a moment. */
  private boolean held(LogSegment segment) {
    while (!segment.retain()) {
      if (state.segments.get(segment.baseOffset()) != segment) {
        return false;
      }
      state.check();
      Thread.onSpinWait();
    }
    return true;
  }

  private static TimedOffset timed(SegmentReader.Found found) {
    return new TimedOffset(
        found.offset(),
        found.timestampMs(),
        found.leaderEpoch() < 0 ? OptionalInt.empty() : OptionalInt.of(found.leaderEpoch()));
  }

  /** Of equal timestamps the first; what a segment says may lie outside of what is asked for. */
  Optional<TimedOffset> maxTimestamp(long upperBoundOffset) throws IOException {
    long max = -1;
    for (LogSegment segment : fromLocalStart()) {
      if (held(segment)) {
        try {
          max = Math.max(max, segment.maxTimestampMs());
        } finally {
          segment.release();
        }
      }
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

  private Iterable<LogSegment> fromLocalStart() {
    Long first = state.segments.floorKey(state.localStart);
    return first == null ? state.segments.values() : state.segments.tailMap(first, true).values();
  }

  /** Overlapping {@code [fromOffset, toOffset)}, in order of their markers. */
  List<AbortedTransaction> aborted(long fromOffset, long toOffset) throws IOException {
    List<AbortedTransaction> found = new ArrayList<>();
    Long first = state.segments.floorKey(fromOffset);
    for (LogSegment segment : state.segments.tailMap(first == null ? 0L : first, true).values()) {
      for (AbortedTransaction entry : segment.aborted().entries()) {
        if (entry.overlaps(fromOffset, toOffset)) {
          found.add(entry);
        }
        if (entry.lastStableOffset() >= toOffset) {
          return found;
        }
      }
    }
    return found;
  }
}

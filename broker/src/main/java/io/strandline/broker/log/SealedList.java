package io.strandline.broker.log;

import io.strandline.broker.log.segment.LogSegment;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.segment.EpochStart;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** What of a log is ready for the tier. Threads: any. */
final class SealedList {
  private final LogState state;
  private final LogReader reader;

  SealedList(LogState state, LogReader reader) {
    this.state = state;
    this.reader = reader;
  }

  /**
   * Dense from the first that ends above {@code fromOffset}; ends before the first that is not
   * sealed or ends above {@code limitOffset}.
   */
  List<SealedSegment> from(long fromOffset, long limitOffset, int max) throws IOException {
    List<SealedSegment> list = new ArrayList<>();
    Map.Entry<Long, LogSegment> entry = state.segments.firstEntry();
    while (entry != null && list.size() < max) {
      LogSegment segment = entry.getValue();
      Map.Entry<Long, LogSegment> next = state.segments.higherEntry(entry.getKey());
      if (next == null || !segment.sealed() || next.getKey() > limitOffset) {
        break;
      }
      if (next.getKey() > fromOffset && segment.end().sizeBytes() > 0) {
        if (!segment.retain()) {
          break;
        }
        try {
          list.add(describe(segment, next.getKey()));
        } finally {
          segment.release();
        }
      }
      entry = next;
    }
    return list;
  }

  private SealedSegment describe(LogSegment segment, long endOffset) throws IOException {
    List<EpochStart> epochs =
        state.epochs.epochEntries().stream()
            .filter(epoch -> epoch.startOffset() < endOffset)
            .map(epoch -> new EpochStart(epoch.epoch(), epoch.startOffset()))
            .toList();
    return new SealedSegment(
        state.partition,
        segment.baseOffset(),
        endOffset,
        segment.end().sizeBytes(),
        segment.maxTimestampMs(),
        segment.path(),
        reader.aborted(segment.baseOffset(), endOffset),
        state.producers.snapshotAt(endOffset),
        epochs);
  }
}

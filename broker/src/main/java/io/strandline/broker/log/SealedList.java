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
   * sealed or ends above {@code limitOffset}. One that compaction emptied has no bytes to go up:
   * its offsets are the next one's.
   */
  List<SealedSegment> from(long fromOffset, long limitOffset, int max) throws IOException {
    List<SealedSegment> list = new ArrayList<>();
    long base = -1;
    Map.Entry<Long, LogSegment> entry = state.segments.firstEntry();
    while (entry != null && list.size() < max) {
      LogSegment segment = entry.getValue();
      Map.Entry<Long, LogSegment> next = state.segments.higherEntry(entry.getKey());
      if (next == null || !segment.sealed() || next.getKey() > limitOffset) {
        break;
      }
      base = base < 0 ? segment.baseOffset() : base;
      boolean emptied = segment.end().sizeBytes() == 0;
      if (next.getKey() > fromOffset && !emptied) {
        if (!segment.retain()) {
          break;
        }
        try {
          list.add(describe(segment, base, next.getKey()));
        } finally {
          segment.release();
        }
      }
      base = emptied ? base : -1;
      entry = next;
    }
    return list;
  }

  private SealedSegment describe(LogSegment segment, long baseOffset, long endOffset)
      throws IOException {
    List<EpochStart> epochs =
        state.epochs.epochEntries().stream()
            .filter(epoch -> epoch.startOffset() < endOffset)
            .map(epoch -> new EpochStart(epoch.epoch(), epoch.startOffset()))
            .toList();
    return new SealedSegment(
        state.partition,
        baseOffset,
        endOffset,
        segment.end().sizeBytes(),
        segment.maxTimestampMs(),
        segment.path(),
        reader.aborted(baseOffset, endOffset),
        state.producers.snapshotAt(endOffset),
        epochs);
  }
}

package io.strandline.tiering.rewrite;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;

/**
 * Which neighbours are worth being one segment. Small is what is shorter than half of the target. A
 * run of small ones is merged if what comes out is {@link #GAIN} times as long as the longest of
 * them, or not small any more: so a byte is rewritten at most once for each time its segment grows
 * that much, and once more.
 *
 * @param targetBytes no merged segment is longer
 * @param spanMs nor its last record so much younger than the last of its first part, so that
 *     retention by time stays about as fine as it was
 * @param mergeable what else must hold of each
 */
record MergeRule(long targetBytes, long spanMs, Predicate<SegmentEntry> mergeable) {
  static final int GAIN = 8;

  /** The first run worth it, as long as can be. */
  Optional<List<SegmentEntry>> choose(List<SegmentEntry> entries) {
    for (int from = 0; from + 1 < entries.size(); from++) {
      int to = end(entries, from);
      if (to - from >= 2) {
        return Optional.of(List.copyOf(entries.subList(from, to)));
      }
    }
    return Optional.empty();
  }

  /** Where the longest run worth it that begins there ends; {@code from} if there is none. */
  private int end(List<SegmentEntry> entries, int from) {
    int end = from;
    long bytes = 0;
    long longest = 0;
    for (int at = from; at < entries.size() && joins(entries.get(from), entries.get(at)); at++) {
      bytes += entries.get(at).lengthBytes();
      longest = Math.max(longest, entries.get(at).lengthBytes());
      if (bytes > targetBytes) {
        break;
      }
      if (at > from && (bytes >= GAIN * longest || bytes >= targetBytes / 2)) {
        end = at + 1;
      }
    }
    return end;
  }

  /** Where a run may still grow once more segments follow: the index of its first. */
  int openEnd(List<SegmentEntry> entries) {
    long bytes = 0;
    int at = entries.size();
    while (at > 0 && small(entries.get(at - 1))) {
      bytes += entries.get(at - 1).lengthBytes();
      if (bytes > targetBytes) {
        break;
      }
      at--;
    }
    return at;
  }

  private boolean joins(SegmentEntry first, SegmentEntry next) {
    return small(next)
        && next.endOffset() - first.baseOffset() <= Integer.MAX_VALUE
        && (first.maxTimestamp() < 0 || next.maxTimestamp() - first.maxTimestamp() <= spanMs);
  }

  private boolean small(SegmentEntry entry) {
    return entry.lengthBytes() < targetBytes / 2 && mergeable.test(entry);
  }
}

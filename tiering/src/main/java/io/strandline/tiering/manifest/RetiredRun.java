package io.strandline.tiering.manifest;

import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;

/**
 * Segments that were retired together, oldest first.
 *
 * <p>A whole page, or a stretch of one, is retired by reference, so that retention costs a bounded
 * number of requests whatever it removes.
 */
sealed interface RetiredRun {
  /** When readers stopped to look for them, rounded up. */
  long sinceMs();

  /** Segments that stand here. */
  record Named(List<SegmentEntry> segments, long sinceMs) implements RetiredRun {
    public Named {
      segments = List.copyOf(segments);
      if (segments.isEmpty()) {
        throw new IllegalArgumentException("a run of no segments");
      }
    }
  }

  /**
   * The segments below a page that begin at or above {@code from} and end at or below {@code to}.
   */
  record Paged(PageRef page, long fromOffset, long toOffset, long sinceMs) implements RetiredRun {
    public Paged {
      if (fromOffset < page.baseOffset() || toOffset > page.endOffset() || fromOffset >= toOffset) {
        throw new IllegalArgumentException(
            "not a stretch of a page: " + fromOffset + " to " + toOffset);
      }
    }

    boolean holds(SegmentEntry segment) {
      return segment.baseOffset() >= fromOffset && segment.endOffset() <= toOffset;
    }

    boolean touches(PageRef below) {
      return below.baseOffset() < toOffset && below.endOffset() > fromOffset;
    }
  }
}

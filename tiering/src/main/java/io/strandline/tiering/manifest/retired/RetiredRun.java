package io.strandline.tiering.manifest.retired;

import io.strandline.tiering.manifest.index.IndexPage;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;
import java.util.Optional;

/**
 * Segments that were retired together, oldest first.
 *
 * <p>A whole page, or a stretch of one, is retired by reference, so that retention costs a bounded
 * number of requests whatever it removes. Runs may overlap in offsets: what took the place of
 * others may be retired while those still are.
 */
public sealed interface RetiredRun {
  /** When readers stopped to look for them, rounded up. */
  long sinceMs();

  /** The same, retired at another time. */
  RetiredRun at(long otherMs);

  /** The page it refers to, if it does. */
  default Optional<PageRef> reference() {
    return Optional.empty();
  }

  /** Segments that stand here. */
  record Named(List<SegmentEntry> segments, long sinceMs) implements RetiredRun {
    public Named {
      segments = List.copyOf(segments);
      if (segments.isEmpty()) {
        throw new IllegalArgumentException("a run of no segments");
      }
    }

    @Override
    public Named at(long otherMs) {
      return new Named(segments, otherMs);
    }
  }

  /**
   * The segments below a page of the index that begin at or above {@code from} and end at or below
   * {@code to}.
   */
  record Paged(PageRef page, long fromOffset, long toOffset, long sinceMs) implements RetiredRun {
    public Paged {
      if (fromOffset < page.baseOffset() || toOffset > page.endOffset() || fromOffset >= toOffset) {
        throw new IllegalArgumentException(
            "not a stretch of a page: " + fromOffset + " to " + toOffset);
      }
    }

    @Override
    public Paged at(long otherMs) {
      return new Paged(page, fromOffset, toOffset, otherMs);
    }

    boolean holds(SegmentEntry segment) {
      return segment.baseOffset() >= fromOffset && segment.endOffset() <= toOffset;
    }

    boolean touches(PageRef below) {
      return below.baseOffset() < toOffset && below.endOffset() > fromOffset;
    }

    @Override
    public Optional<PageRef> reference() {
      return Optional.of(page);
    }
  }

  /**
   * The segments of a page written for the retired alone, in the order in which they were retired.
   *
   * @param forgotten so many of the first are forgotten
   */
  record Listed(PageRef page, int forgotten, long sinceMs) implements RetiredRun {
    public Listed {
      if (page.level() != 0 || forgotten < 0 || forgotten >= page.segments()) {
        throw new IllegalArgumentException(
            forgotten + " forgotten of a page of " + page.segments());
      }
    }

    @Override
    public Listed at(long otherMs) {
      return new Listed(page, forgotten, otherMs);
    }

    List<SegmentEntry> left(IndexPage read) {
      return read.segments().subList(forgotten, read.segments().size());
    }

    int count() {
      return page.segments() - forgotten;
    }

    @Override
    public Optional<PageRef> reference() {
      return Optional.of(page);
    }
  }
}

package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * The part of the index that stands in a version's head.
 *
 * <p>In the order of offsets: references of the highest level, then of each level below, then the
 * newest segments themselves. {@code levels.get(n)} refers to pages of level n. What lies below a
 * view's start may still stand in the first page: a page is never rewritten to forget.
 */
public record TierIndex(List<List<PageRef>> levels, List<SegmentEntry> segments) {
  public static final TierIndex EMPTY = new TierIndex(List.of(), List.of());

  public TierIndex {
    levels = levels.stream().map(List::copyOf).toList();
    segments = List.copyOf(segments);
    if (levels.size() > PageRef.MAX_LEVELS) {
      throw new IllegalArgumentException(levels.size() + " levels of index pages");
    }
    for (int level = 0; level < levels.size(); level++) {
      for (PageRef page : levels.get(level)) {
        if (page.level() != level) {
          throw new IllegalArgumentException("page of level " + page.level() + " at " + level);
        }
      }
    }
  }

  /** References in the order of offsets. */
  public List<PageRef> pages() {
    List<PageRef> pages = new ArrayList<>();
    List<List<PageRef>> topDown = new ArrayList<>(levels);
    Collections.reverse(topDown);
    topDown.forEach(pages::addAll);
    return pages;
  }

  public boolean isEmpty() {
    return segments.isEmpty() && levels.stream().allMatch(List::isEmpty);
  }

  /** With these after the newest. */
  public TierIndex plus(List<SegmentEntry> more) {
    List<SegmentEntry> all = new ArrayList<>(segments);
    all.addAll(more);
    return new TierIndex(levels, all);
  }

  /** Without the segments and pages that lie wholly below. */
  public TierIndex from(long startOffset) {
    List<List<PageRef>> kept = new ArrayList<>();
    for (List<PageRef> level : levels) {
      kept.add(level.stream().filter(page -> page.endOffset() > startOffset).toList());
    }
    while (!kept.isEmpty() && kept.get(kept.size() - 1).isEmpty()) {
      kept.remove(kept.size() - 1);
    }
    return new TierIndex(
        kept, segments.stream().filter(entry -> entry.endOffset() > startOffset).toList());
  }

  /** Whether everything follows everything densely, pages and segments. */
  public boolean dense() {
    DenseCheck check = new DenseCheck();
    pages().forEach(page -> check.next(page.baseOffset(), page.endOffset()));
    segments.forEach(entry -> check.next(entry.baseOffset(), entry.endOffset()));
    return check.dense;
  }

  /** Offset after the last segment; -1 when there is none. */
  public long endOffset() {
    if (!segments.isEmpty()) {
      return segments.get(segments.size() - 1).endOffset();
    }
    List<PageRef> pages = pages();
    return pages.isEmpty() ? -1 : pages.get(pages.size() - 1).endOffset();
  }

  private static final class DenseCheck {
    private long at = -1;
    private boolean dense = true;

    void next(long base, long end) {
      dense &= at == -1 || at == base;
      at = end;
    }
  }
}

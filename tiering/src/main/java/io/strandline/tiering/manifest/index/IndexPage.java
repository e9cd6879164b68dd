package io.strandline.tiering.manifest.index;

import io.strandline.tiering.segment.SegmentEntry;
import java.util.List;

/**
 * An immutable page: segments at level 0, references to pages one level down above it; in an index
 * ascending and dense in offsets either way, of the retired in any order.
 */
public record IndexPage(int level, List<SegmentEntry> segments, List<PageRef> pages) {
  /** Fan-out: as many segments or references as a page may hold. */
  public static final int MAX_ITEMS = 512;

  /** No page is longer; a bound for readers. */
  public static final int MAX_BYTES = 1 << 20;

  public IndexPage {
    segments = List.copyOf(segments);
    pages = List.copyOf(pages);
    int items = level == 0 ? segments.size() : pages.size();
    int others = level == 0 ? pages.size() : segments.size();
    if (items == 0 || items > MAX_ITEMS || others != 0) {
      throw new IllegalArgumentException("not a page of level " + level + ": " + items + " items");
    }
  }

  public static IndexPage ofSegments(List<SegmentEntry> segments) {
    return new IndexPage(0, segments, List.of());
  }

  public static IndexPage ofPages(int level, List<PageRef> pages) {
    return new IndexPage(level, List.of(), pages);
  }

  public int items() {
    return level == 0 ? segments.size() : pages.size();
  }

  long baseOffset() {
    return level == 0
        ? segments.stream().mapToLong(SegmentEntry::baseOffset).min().orElseThrow()
        : pages.stream().mapToLong(PageRef::baseOffset).min().orElseThrow();
  }

  long endOffset() {
    return level == 0
        ? segments.stream().mapToLong(SegmentEntry::endOffset).max().orElseThrow()
        : pages.stream().mapToLong(PageRef::endOffset).max().orElseThrow();
  }

  long maxTimestamp() {
    return level == 0
        ? segments.stream().mapToLong(SegmentEntry::maxTimestamp).max().orElse(-1)
        : pages.stream().mapToLong(PageRef::maxTimestamp).max().orElse(-1);
  }

  int segmentCount() {
    return level == 0 ? segments.size() : pages.stream().mapToInt(PageRef::segments).sum();
  }

  long segmentBytes() {
    return level == 0
        ? segments.stream().mapToLong(SegmentEntry::lengthBytes).sum()
        : pages.stream().mapToLong(PageRef::segmentBytes).sum();
  }
}

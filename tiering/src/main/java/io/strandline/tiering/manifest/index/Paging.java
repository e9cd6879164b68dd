package io.strandline.tiering.manifest.index;

/**
 * When the index moves into pages. Bounds for who writes: readers take whatever was written.
 *
 * @param headItems segments, references of one level, and retired segments that a head holds itself
 * @param pageItems segments or references that a page holds, at most {@link IndexPage#MAX_ITEMS}
 */
public record Paging(int headItems, int pageItems) {
  /** Heads of some 20 KiB, pages of some 50 KiB, two levels at a million segments. */
  public static final Paging USUAL = new Paging(128, IndexPage.MAX_ITEMS);

  public Paging {
    if (headItems < 2 || pageItems < 2 || pageItems > IndexPage.MAX_ITEMS) {
      throw new IllegalArgumentException(
          "not a way to page: " + headItems + " in a head, " + pageItems + " in a page");
    }
  }
}

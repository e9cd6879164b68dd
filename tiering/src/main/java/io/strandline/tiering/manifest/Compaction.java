package io.strandline.tiering.manifest;

/**
 * How far the compaction of a tiered partition has come, as a manifest version says it. Every
 * offset is a border between segments or lies within one; what is below the start counts as clean.
 *
 * @param cleanedOffset all records below it have been through a whole round: of each key only the
 *     last is left
 * @param roundEndOffset the round under way, if there is one, cleans what lies below
 * @param roundOffset and has rewritten what lies below this; equal to {@code roundEndOffset} when
 *     no round is under way
 */
public record Compaction(long cleanedOffset, long roundEndOffset, long roundOffset) {
  /** Nothing was ever cleaned, no round is under way. */
  public static final Compaction NONE = new Compaction(0, 0, 0);

  public Compaction {
    if (cleanedOffset < 0 || roundOffset < 0 || roundOffset > roundEndOffset) {
      throw new IllegalArgumentException(
          "not a progress of compaction: "
              + cleanedOffset
              + " clean, "
              + roundOffset
              + " of "
              + roundEndOffset);
    }
  }

  /** All below the offset is clean and no round is under way. */
  public static Compaction cleanBelow(long offset) {
    return new Compaction(offset, offset, offset);
  }

  /** Whether a round was begun and not finished. */
  public boolean underWay() {
    return roundOffset < roundEndOffset;
  }

  /** The same about what is held: no offset lies outside of it. */
  Compaction within(long startOffset, long endOffset) {
    return new Compaction(
        clamp(cleanedOffset, startOffset, endOffset),
        clamp(roundEndOffset, startOffset, endOffset),
        clamp(roundOffset, startOffset, endOffset));
  }

  private static long clamp(long offset, long startOffset, long endOffset) {
    return Math.max(startOffset, Math.min(endOffset, offset));
  }
}

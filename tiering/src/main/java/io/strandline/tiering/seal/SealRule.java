package io.strandline.tiering.seal;

import java.util.ArrayList;
import java.util.List;

/** When sealed segments are due: whole, dense from the tier's end, and wholly decided. */
public final class SealRule {
  private SealRule() {}

  /**
   * Segments that are due, ascending and dense.
   *
   * @param fromOffset where the tier goes on
   * @param limitOffset the lower of high watermark and last stable offset: what lies above may
   *     still be truncated or aborted
   * @throws GapException if the log begins above {@code fromOffset}
   */
  public static List<DueSegment> due(
      SegmentSource source, long fromOffset, long limitOffset, int max) {
    List<DueSegment> due = new ArrayList<>();
    long next = fromOffset;
    for (SealedSegment segment : source.sealedSegments(fromOffset, limitOffset, max)) {
      if (segment.baseOffset() > next) {
        throw new GapException(
            "offsets " + next + " to " + segment.baseOffset() + " are neither tiered nor local");
      }
      if (segment.endOffset() > limitOffset || segment.endOffset() <= next) {
        throw new IllegalStateException(
            "asked for " + next + " to " + limitOffset + ", was given " + segment);
      }
      due.add(new DueSegment(segment, next));
      next = segment.endOffset();
    }
    return due;
  }

  /** Records are missing between the tier and the log: nothing can follow until someone decides. */
  public static final class GapException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GapException(String message) {
      super(message);
    }
  }
}

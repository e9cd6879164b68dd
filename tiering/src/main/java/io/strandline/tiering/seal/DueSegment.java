package io.strandline.tiering.seal;

/**
 * What of a sealed segment may go up now.
 *
 * @param startOffset where the tier goes on; above the segment's base offset when the tier already
 *     holds its beginning, cut by another replica
 */
public record DueSegment(SealedSegment segment, long startOffset) {
  public DueSegment {
    if (startOffset < segment.baseOffset() || startOffset >= segment.endOffset()) {
      throw new IllegalArgumentException(
          startOffset + " is not in " + segment.baseOffset() + " to " + segment.endOffset());
    }
  }

  public long endOffset() {
    return segment.endOffset();
  }
}

package io.strandline.tiering.manifest.index;

import org.apache.kafka.common.Uuid;

/**
 * A reference to an immutable index page, with a summary of all segments below it.
 *
 * @param writer nonce of the version for which the page was written; with {@code sequence} its
 *     name, never used twice
 * @param level 0 for a page of segments, n for a page of references to pages of level n − 1
 * @param lengthBytes of the page
 * @param crc32c of the page
 * @param baseOffset of the first segment
 * @param endOffset of the last segment
 * @param maxTimestamp largest of all segments, or -1
 * @param segments number of segments
 * @param segmentBytes sum of their lengths
 */
public record PageRef(
    Uuid writer,
    int sequence,
    int level,
    int lengthBytes,
    int crc32c,
    long baseOffset,
    long endOffset,
    long maxTimestamp,
    int segments,
    long segmentBytes) {
  /** Levels of pages below a head. */
  public static final int MAX_LEVELS = 4;

  /** What two references to the same page share. */
  public record Name(Uuid writer, int sequence) {}

  public PageRef {
    if (sequence < 0
        || level < 0
        || level >= MAX_LEVELS
        || lengthBytes <= 0
        || lengthBytes > IndexPage.MAX_BYTES
        || baseOffset < 0
        || endOffset <= baseOffset
        || segments <= 0
        || segmentBytes < 0) {
      throw new IllegalArgumentException(
          "not a page of level " + level + ": " + baseOffset + " to " + endOffset);
    }
  }

  public Name name() {
    return new Name(writer, sequence);
  }
}

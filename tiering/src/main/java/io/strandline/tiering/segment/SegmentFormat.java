package io.strandline.tiering.segment;

import java.nio.ByteBuffer;

/** The codec of a tiered segment; the schema is docs/formats/segment.md. */
public final class SegmentFormat {
  /** Written by this release; readers accept it and the one before. */
  public static final short VERSION = 1;

  private SegmentFormat() {}

  /** Where in the object the tail (indexes and footer) of a segment begins. */
  public static long tailPositionBytes(SegmentEntry entry) {
    return entry.positionBytes() + entry.dataBytes();
  }

  /**
   * Length of the tail.
   *
   * @throws SegmentFormatException if no sane tail is that long
   */
  public static int tailBytes(SegmentEntry entry) {
    return notYet(0);
  }

  /**
   * Reads the tail of a segment, from {@link #tailPositionBytes} to its end.
   *
   * @throws SegmentFormatException if it is damaged or not the one that the entry names
   */
  public static SegmentIndex decode(SegmentEntry entry, ByteBuffer tail) {
    return notYet(new SegmentIndex());
  }

  private static <T> T notYet(T example) {
    throw new UnsupportedOperationException("not yet " + example);
  }
}

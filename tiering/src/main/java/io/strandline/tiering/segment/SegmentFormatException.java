package io.strandline.tiering.segment;

/** Bytes that are not what the format says: damaged, cut, of an unknown version, or hostile. */
public final class SegmentFormatException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public SegmentFormatException(String message) {
    super(message);
  }
}

package io.strandline.tiering.manifest;

/** A writer with a higher leader epoch has taken over; this one must stop for good. */
public final class FencedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  public FencedException(String message) {
    super(message);
  }
}

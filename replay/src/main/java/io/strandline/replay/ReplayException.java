package io.strandline.replay;

import org.jspecify.annotations.Nullable;

/** Why history could not be read. */
public final class ReplayException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What a client should make of it. */
  public enum Kind {
    /** Below the tier's start or beyond its end: the client resets or asks the hot log. */
    OUT_OF_RANGE,
    /** The store does not answer or the budget is spent: the same fetch may succeed later. */
    UNAVAILABLE,
    /** The object is missing or its bytes are not what the manifest says: no retry will help. */
    CORRUPT
  }

  private final Kind kind;

  public ReplayException(Kind kind, String message, @Nullable Throwable cause) {
    super(message, cause);
    this.kind = kind;
  }

  public Kind kind() {
    return kind;
  }
}

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
    CORRUPT,
    /** Of a look-up by time: what the client wrote does not decode, or to more than it may. */
    UNDECODABLE
  }

  /**
   * The offsets that cannot be read, and where reading can go on.
   *
   * @param toOffset the first that is not concerned
   */
  public record Damage(long fromOffset, long toOffset) {}

  private final Kind kind;
  private final transient @Nullable Damage damage;

  public ReplayException(Kind kind, String message, @Nullable Throwable cause) {
    this(kind, message, cause, null);
  }

  private ReplayException(
      Kind kind, String message, @Nullable Throwable cause, @Nullable Damage damage) {
    super(message, cause);
    this.kind = kind;
    this.damage = damage;
  }

  /** As this {@link Kind#CORRUPT} one, and the offsets that share its fate. */
  ReplayException within(Damage range) {
    String message =
        getMessage() + ", as are offsets " + range.fromOffset + " to " + (range.toOffset - 1);
    return new ReplayException(kind, message, getCause(), range);
  }

  public Kind kind() {
    return kind;
  }

  /** Null where it is not known which offsets are concerned. */
  public @Nullable Damage damage() {
    return damage;
  }
}

package io.strandline.tiering.store.memory;

import java.time.Duration;

/**
 * What goes wrong with one call.
 *
 * @param before how long until the store sees the request
 * @param after how long until the caller sees the answer
 */
public record Fault(Kind kind, Duration before, Duration after) {
  /** How a call may fail. */
  public enum Kind {
    /** Nothing but the delays. */
    NONE,
    /** Fails, and the store never saw it. */
    LOST_REQUEST,
    /** Carried out, and the caller is told that it failed. */
    LOST_ANSWER,
    /** The caller is told at once that it failed, and it is carried out after {@link #before}. */
    LATE_REQUEST,
    /** Carried out twice, the caller sees the second answer: what a hidden retry does. */
    REPEATED
  }

  public static final Fault NONE = new Fault(Kind.NONE, Duration.ZERO, Duration.ZERO);

  public static Fault of(Kind kind) {
    return new Fault(kind, Duration.ZERO, Duration.ZERO);
  }
}

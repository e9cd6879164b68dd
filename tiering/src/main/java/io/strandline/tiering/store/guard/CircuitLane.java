package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable.Why;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Whether a store answers, as its callers find out.
 *
 * <pre>
 *   answers --(so many failures in a row)--> away --(a call let through succeeds)--> answers
 *                                             away: after each pause one call is let through
 * </pre>
 *
 * Thread-safe.
 */
final class CircuitLane {
  /** What an event changed. */
  enum Change {
    NONE,
    WENT_AWAY,
    CAME_BACK
  }

  private final Circuit rule;
  private int failures;
  private int trials;
  private long nextTrialNanos;
  private @Nullable StoreException reason;

  CircuitLane(Circuit rule) {
    this.rule = rule;
  }

  /** Null if a call may go through; else why it may not. */
  synchronized StoreException.@Nullable Unavailable refusal(long nowNanos) {
    StoreException why = reason;
    if (why == null) {
      return null;
    }
    if (nowNanos - nextTrialNanos < 0) {
      return StoreException.Unavailable.unasked(why);
    }
    nextTrialNanos = nowNanos + rule.pauseMax().toNanos(); // until this one's outcome is known
    return null;
  }

  /** As {@link #refusal}, but who is not refused has not gone through yet. */
  synchronized StoreException.@Nullable Unavailable refusalUnlessDue(long nowNanos) {
    StoreException why = reason;
    return why == null || nowNanos - nextTrialNanos >= 0
        ? null
        : StoreException.Unavailable.unasked(why);
  }

  /** The store answered, be it with a refusal of a condition. */
  synchronized Change answered() {
    failures = 0;
    trials = 0;
    if (reason == null) {
      return Change.NONE;
    }
    reason = null;
    return Change.CAME_BACK;
  }

  synchronized Change failed(StoreException failure, long nowNanos) {
    failures++;
    if (reason == null && failures < rule.failuresInARow()) {
      return Change.NONE;
    }
    Change change = reason == null ? Change.WENT_AWAY : Change.NONE;
    reason = failure;
    nextTrialNanos = nowNanos + pauseNanos(trials++);
    return change;
  }

  /** Until the next call is let through; 0 if all are. */
  synchronized long trialInMs(long nowNanos) {
    return reason == null
        ? 0
        : Math.max(1, TimeUnit.NANOSECONDS.toMillis(nextTrialNanos - nowNanos) + 1);
  }

  /** Null while the store answers. */
  synchronized @Nullable Why why() {
    return reason == null ? null : Why.of(reason);
  }

  private long pauseNanos(int doublings) {
    long first = rule.firstPause().toNanos();
    long max = rule.pauseMax().toNanos();
    return doublings > 20 ? max : Math.min(max, first << doublings);
  }
}

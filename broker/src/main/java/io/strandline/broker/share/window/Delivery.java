package io.strandline.broker.share.window;

import org.apache.kafka.server.share.fetch.RecordState;
import org.jspecify.annotations.Nullable;

/**
 * How a record fares in its group.
 *
 * @param count how often it was given to a member
 * @param member who holds it, empty unless acquired
 * @param lockedUntilMs when it is taken from the member again, 0 unless acquired
 * @param pending what it becomes once that is written down; until then it is neither given to
 *     others nor acknowledged again
 */
record Delivery(
    RecordState state, int count, String member, long lockedUntilMs, @Nullable Pending pending) {

  /** Never given to anybody. */
  static final Delivery FRESH = available(0);

  /** Nobody is given it any more: acknowledged, rejected, given too often, or nothing is there. */
  static final Delivery DONE = new Delivery(RecordState.ARCHIVED, 0, "", 0, null);

  record Pending(Change change, RecordState to) {}

  static Delivery available(int count) {
    return new Delivery(RecordState.AVAILABLE, count, "", 0, null);
  }

  boolean isAvailable() {
    return state == RecordState.AVAILABLE;
  }

  boolean isDone() {
    return state == RecordState.ARCHIVED;
  }

  /** Whether a member holds it and nothing is under way. */
  boolean isHeld() {
    return state == RecordState.ACQUIRED && pending == null;
  }

  Delivery acquired(String by, long untilMs) {
    return new Delivery(RecordState.ACQUIRED, count + 1, by, untilMs, null);
  }

  Delivery lockedUntil(long untilMs) {
    return new Delivery(state, count, member, untilMs, pending);
  }

  Delivery becoming(Change change, RecordState to) {
    return new Delivery(state, count, member, lockedUntilMs, new Pending(change, to));
  }

  /** After all still as it was. */
  Delivery unchanged() {
    return new Delivery(state, count, member, lockedUntilMs, null);
  }

  /** What it is once it has come to {@code to}. */
  Delivery settled(RecordState to) {
    return to == RecordState.AVAILABLE ? available(count) : DONE;
  }

  /** What giving it back makes of it: there is an end to deliveries. */
  RecordState givenBack(int deliveryLimit) {
    return count >= deliveryLimit ? RecordState.ARCHIVED : RecordState.AVAILABLE;
  }
}

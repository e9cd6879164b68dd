package io.strandline.broker.transaction.state;

/**
 * When a transaction began and how long it may last.
 *
 * @param timeoutMs {@link Integer#MAX_VALUE} for one that an outside coordinator ends (KIP-939)
 * @param startMs -1 before the first
 * @param updatedMs of the last change, from which the transactional id expires
 */
public record Timing(int timeoutMs, long startMs, long updatedMs) {
  static final long NOT_STARTED = -1;

  Timing updated(long nowMs) {
    return new Timing(timeoutMs, startMs, nowMs);
  }

  Timing started(long nowMs) {
    return new Timing(timeoutMs, nowMs, nowMs);
  }

  /** Whether one that is open has lasted too long. */
  boolean expired(long nowMs) {
    return timeoutMs != Integer.MAX_VALUE && startMs + timeoutMs < nowMs;
  }
}

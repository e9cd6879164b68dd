package io.strandline.broker.partition.move;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * How fast all moves together may copy. What was copied too fast is waited for afterwards, at the
 * rate of that time; nothing is saved up. Threads: any.
 */
final class Pace {
  private static final long ROUND_MS = 100;

  /** Who waits asks again after this: the rate may have been raised. */
  private static final long WAIT_MS_MAX = 1_000;

  private final LongSupplier bytesPerSecond;
  private final InstantSource clock;
  private double owedBytes; // copied, and not paid for by the time since
  private long paidMs;

  /**
   * @param bytesPerSecond as it is now
   */
  Pace(LongSupplier bytesPerSecond, InstantSource clock) {
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
    this.paidMs = clock.millis();
  }

  /** How long to wait before asking again, in ms; 0 when the next bytes may be copied. */
  synchronized long waitMs() {
    pay();
    return (long) Math.min(WAIT_MS_MAX, owedBytes / bytesPerMs());
  }

  /** How much to copy before asking again. */
  long roundBytes(long most) {
    return Math.max(1, Math.min(most, bytesPerSecond.getAsLong() / (1000 / ROUND_MS)));
  }

  synchronized void copied(long bytes) {
    pay();
    owedBytes += bytes;
  }

  /** Time that the clock is set back by is not waited for. */
  private void pay() {
    long nowMs = clock.millis();
    owedBytes = Math.max(0, owedBytes - Math.max(0, nowMs - paidMs) * bytesPerMs());
    paidMs = nowMs;
  }

  private double bytesPerMs() {
    return Math.max(1, bytesPerSecond.getAsLong()) / 1000.0;
  }
}

package io.strandline.broker.partition.move;

import java.time.InstantSource;
import java.util.function.LongSupplier;

/**
 * How fast all moves together may copy. What was copied too fast is waited for afterwards; nothing
 * is saved up. Threads: any.
 */
final class Pace {
  private static final long ROUND_MS = 100;

  private final LongSupplier bytesPerSecond;
  private final InstantSource clock;
  private long freeMs; // when what was copied so far is paid for

  /**
   * @param bytesPerSecond as it is now
   */
  Pace(LongSupplier bytesPerSecond, InstantSource clock) {
    this.bytesPerSecond = bytesPerSecond;
    this.clock = clock;
  }

  /** How long to wait before the next bytes, in ms; 0 for not at all. */
  synchronized long waitMs() {
    return Math.max(0, freeMs - clock.millis());
  }

  /** How much to copy before asking again. */
  long roundBytes(long most) {
    return Math.max(1, Math.min(most, bytesPerSecond.getAsLong() / (1000 / ROUND_MS)));
  }

  synchronized void copied(long bytes) {
    double ms = bytes * 1000.0 / Math.max(1, bytesPerSecond.getAsLong());
    freeMs = Math.max(freeMs, clock.millis()) + (long) ms;
  }
}

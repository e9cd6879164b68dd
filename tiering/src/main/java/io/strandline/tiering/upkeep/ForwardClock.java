package io.strandline.tiering.upkeep;

import java.util.function.LongSupplier;

/**
 * Milliseconds to wait by: those of a wall clock, but where that is set back these go on. What was
 * put off by a clock that was ahead for a while is due in time all the same. Not for what is
 * compared with timestamps. Threads: any.
 */
public final class ForwardClock {
  private final LongSupplier wallMs;
  private long lastMs = Long.MIN_VALUE;
  private long setBackMs;

  public ForwardClock(LongSupplier wallMs) {
    this.wallMs = wallMs;
  }

  /** Never less than before. */
  public synchronized long millis() {
    long nowMs = wallMs.getAsLong();
    setBackMs += nowMs < lastMs ? lastMs - nowMs : 0;
    lastMs = nowMs;
    return nowMs + setBackMs;
  }
}

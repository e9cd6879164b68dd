package io.strandline.broker.replica.meter;

import java.time.InstantSource;

/** How often something happened in a second, over the last minute. Thread-safe. */
public final class Pace {
  private static final int SLOTS = 6;
  private static final long SLOT_MS = 10_000;

  private final InstantSource clock;
  private final long beganMs;
  private final long[] counts = new long[SLOTS]; // guarded by this
  private long newest;

  public Pace(InstantSource clock) {
    this.clock = clock;
    this.beganMs = clock.millis();
    this.newest = beganMs / SLOT_MS;
  }

  /** It happened. */
  public synchronized void mark() {
    turn();
    counts[(int) (newest % SLOTS)]++;
  }

  /** Times a second. */
  public synchronized double perSecond() {
    turn();
    long sum = 0;
    for (long count : counts) {
      sum += count;
    }
    double seconds = Math.min(SLOTS * SLOT_MS, clock.millis() - beganMs) / 1000.0;
    return sum / Math.max(1, seconds);
  }

  private void turn() {
    long now = clock.millis() / SLOT_MS;
    for (long slot = Math.max(newest, now - SLOTS) + 1; slot <= now; slot++) {
      counts[(int) (slot % SLOTS)] = 0;
    }
    newest = Math.max(newest, now);
  }
}

package io.strandline.replay.job;

import java.util.function.LongSupplier;

/**
 * Keeps a rate of bytes over all of a job's threads: each takes what it is about to use and waits
 * for its place. A second of the rate may be used at once. Threads: any.
 */
final class Pacer {
  /** Waits; a simulation moves its clock instead. */
  @FunctionalInterface
  interface Pause {
    void millis(long ms) throws InterruptedException;
  }

  private static final long SECOND = 1_000_000_000L;

  private final long bytesPerSecond;
  private final LongSupplier nanoTicker;
  private final Pause pause;
  private long freeAtNanos;

  /**
   * @param bytesPerSecond 0 is without limit
   */
  Pacer(long bytesPerSecond, LongSupplier nanoTicker, Pause pause) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTicker = nanoTicker;
    this.pause = pause;
    this.freeAtNanos = nanoTicker.getAsLong() - SECOND;
  }

  void take(long bytes) throws InterruptedException {
    if (bytesPerSecond > 0) {
      long waitMs = reserve(bytes) / 1_000_000;
      if (waitMs > 0) {
        pause.millis(waitMs);
      }
    }
  }

  /**
   * @return nanoseconds to wait
   */
  private synchronized long reserve(long bytes) {
    long now = nanoTicker.getAsLong();
    freeAtNanos = Math.max(freeAtNanos, now - SECOND);
    freeAtNanos += (long) ((double) bytes / bytesPerSecond * SECOND);
    return freeAtNanos - now;
  }
}

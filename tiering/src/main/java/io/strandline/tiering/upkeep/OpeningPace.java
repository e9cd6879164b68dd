package io.strandline.tiering.upkeep;

/**
 * How fast manifests are opened. A broker that has just started leads thousands of partitions whose
 * history may have to be reclaimed, none of which is in a hurry; opening one is four requests and
 * an entry in the heap. So many may be opened at once, then so many a second. Threads: any.
 */
public final class OpeningPace {
  private static final int AT_ONCE = 100;
  private static final int A_SECOND = 25;

  private double free = AT_ONCE;
  private long lastMs;

  /** Whether one more may be opened now; who is refused asks again. */
  public synchronized boolean enter(long nowMs) {
    free = Math.min(AT_ONCE, free + Math.max(0, nowMs - lastMs) * (A_SECOND / 1000.0));
    lastMs = Math.max(lastMs, nowMs);
    if (free < 1) {
      return false;
    }
    free--;
    return true;
  }
}

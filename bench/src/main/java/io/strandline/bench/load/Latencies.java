package io.strandline.bench.load;

import java.util.Arrays;

/** Waiting times of single records. */
public final class Latencies {
  private final long[] sortedNanos;

  Latencies(long[] nanos) {
    this.sortedNanos = nanos.clone();
    Arrays.sort(sortedNanos);
  }

  /**
   * The shortest time that {@code share} of the records did not exceed.
   *
   * @param share above 0, at most 1
   */
  public double millis(double share) {
    int index = (int) Math.ceil(sortedNanos.length * share) - 1;
    return sortedNanos[index] / 1e6;
  }
}

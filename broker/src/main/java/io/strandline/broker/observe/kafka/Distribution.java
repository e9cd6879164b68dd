package io.strandline.broker.observe.kafka;

import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.LongAccumulator;
import java.util.concurrent.atomic.LongAdder;

/**
 * How large values were: count, mean, extremes of all; percentiles of those of the last minutes.
 *
 * <p>Values fall into buckets an eighth of a power of two wide, so a percentile is within 6.3 % of
 * the truth. Those of recent values forget half of what they knew every 46 seconds, which is the
 * pace of the samples that Kafka's histograms keep.
 *
 * <p>Any thread may record; {@link #tick} is called by one, every {@link Rate#TICK_SECONDS}.
 */
public final class Distribution {
  private static final int SUB_BITS = 3;
  private static final int SUBS = 1 << SUB_BITS;
  private static final int BITS_MAX = 33;
  private static final int BUCKETS = (BITS_MAX - SUB_BITS + 1) * SUBS;
  private static final float KEPT = (float) Math.exp(-0.015 * Rate.TICK_SECONDS);
  private static final float NEGLIGIBLE = 1e-3f;

  private final AtomicLongArray counts = new AtomicLongArray(BUCKETS);
  private final LongAdder sum = new LongAdder();
  private final LongAccumulator max = new LongAccumulator(Math::max, 0);
  private final LongAccumulator min = new LongAccumulator(Math::min, Long.MAX_VALUE);
  private final double unit;
  private final float[] recent = new float[BUCKETS];
  private final long[] seen = new long[BUCKETS];

  /**
   * @param unit as many make up one of what is shown
   */
  Distribution(double unit) {
    this.unit = unit;
  }

  /** Records a value; one below 0 counts as 0. */
  public void record(long value) {
    long counted = Math.max(0, value);
    counts.getAndIncrement(bucket(counted));
    sum.add(counted);
    max.accumulate(counted);
    min.accumulate(counted);
  }

  private static int bucket(long value) {
    if (value < SUBS) {
      return (int) value;
    }
    int shift = 63 - Long.numberOfLeadingZeros(value) - SUB_BITS;
    int index = (shift << SUB_BITS) + (int) (value >>> shift);
    return Math.min(index, BUCKETS - 1);
  }

  /** The middle of a bucket. */
  private static double middle(int bucket) {
    if (bucket < SUBS) {
      return bucket;
    }
    int shift = (bucket >>> SUB_BITS) - 1;
    double low = Math.scalb((double) (SUBS + (bucket & (SUBS - 1))), shift);
    return low + (Math.scalb(1.0, shift) - 1) / 2;
  }

  long count() {
    long total = 0;
    for (int i = 0; i < BUCKETS; i++) {
      total += counts.get(i);
    }
    return total;
  }

  double mean() {
    long n = count();
    return n == 0 ? 0 : sum.sum() / unit / n;
  }

  double max() {
    return max.get() / unit;
  }

  double min() {
    long least = min.get();
    return least == Long.MAX_VALUE ? 0 : least / unit;
  }

  /** Standard deviation, as far as buckets tell it. */
  double deviation() {
    long n = 0;
    double total = 0;
    double squares = 0;
    for (int i = 0; i < BUCKETS; i++) {
      long here = counts.get(i);
      double value = middle(i);
      n += here;
      total += here * value;
      squares += here * value * value;
    }
    return n < 2 ? 0 : Math.sqrt(Math.max(0, (squares - total * total / n) / (n - 1))) / unit;
  }

  /**
   * The value below which this part of the recent ones lies, 0 without any.
   *
   * @param part between 0 and 1
   */
  synchronized double percentile(double part) {
    double[] weights = new double[BUCKETS];
    double total = 0;
    for (int i = 0; i < BUCKETS; i++) {
      weights[i] = recent[i] + (counts.get(i) - seen[i]);
      total += weights[i];
    }
    double wanted = part * total;
    double reached = 0;
    for (int i = 0; i < BUCKETS; i++) {
      reached += weights[i];
      if (weights[i] > 0 && reached >= wanted) {
        return Math.min(Math.max(middle(i) / unit, min()), max());
      }
    }
    return 0;
  }

  synchronized void tick() {
    for (int i = 0; i < BUCKETS; i++) {
      long now = counts.get(i);
      float weight = recent[i] * KEPT + (now - seen[i]);
      recent[i] = weight < NEGLIGIBLE ? 0 : weight;
      seen[i] = now;
    }
  }
}

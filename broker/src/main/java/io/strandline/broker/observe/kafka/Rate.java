package io.strandline.broker.observe.kafka;

import java.util.concurrent.atomic.LongAdder;
import java.util.function.LongSupplier;

/**
 * Events counted, and how many there are a second: since the beginning, and as averages that forget
 * within one, five and fifteen minutes, as {@code uptime} has them.
 *
 * <p>Any thread may mark; {@link #tick} is called by one, every {@link #TICK_SECONDS}.
 */
public final class Rate {
  static final long TICK_SECONDS = 5;
  private static final double[] ALPHA = {alpha(1), alpha(5), alpha(15)};

  private final LongAdder count = new LongAdder();
  private final LongSupplier nanoClock;
  private final long beganNanos;
  private final String eventType;
  private final double[] perSecond = new double[ALPHA.length];
  private long seen;
  private boolean begun;

  Rate(String eventType, LongSupplier nanoClock) {
    this.eventType = eventType;
    this.nanoClock = nanoClock;
    this.beganNanos = nanoClock.getAsLong();
  }

  private static double alpha(int minutes) {
    return 1 - Math.exp(-TICK_SECONDS / 60.0 / minutes);
  }

  /** One event. */
  public void mark() {
    count.increment();
  }

  /** So many events at once. */
  public void mark(long events) {
    count.add(events);
  }

  /** Events so far. */
  public long count() {
    return count.sum();
  }

  /** Of the last minute. */
  public double perSecond() {
    return recentRate(0);
  }

  String eventType() {
    return eventType;
  }

  double meanRate() {
    long elapsed = nanoClock.getAsLong() - beganNanos;
    return elapsed <= 0 ? 0 : count() * 1e9 / elapsed;
  }

  /**
   * @param window 0, 1 or 2 for one, five and fifteen minutes
   */
  synchronized double recentRate(int window) {
    return perSecond[window];
  }

  synchronized void tick() {
    long now = count();
    double rate = (now - seen) / (double) TICK_SECONDS;
    seen = now;
    for (int i = 0; i < ALPHA.length; i++) {
      perSecond[i] = begun ? perSecond[i] + ALPHA[i] * (rate - perSecond[i]) : rate;
    }
    begun = true;
  }
}

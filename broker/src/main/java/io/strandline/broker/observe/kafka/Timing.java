package io.strandline.broker.observe.kafka;

import java.util.concurrent.TimeUnit;

/**
 * How often something was done and how long it took.
 *
 * @param millis recorded in microseconds, shown in milliseconds
 */
public record Timing(Rate rate, Distribution millis) {
  /** It was done once, in so many nanoseconds. */
  public void record(long nanos) {
    rate.mark();
    millis.record(TimeUnit.NANOSECONDS.toMicros(nanos));
  }
}

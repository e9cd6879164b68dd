package io.strandline.broker.log.check;

import java.time.InstantSource;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/** A clock of ours for classes of Kafka's, which never wait by it. */
public record KafkaTime(InstantSource clock) implements Time {
  @Override
  public long milliseconds() {
    return clock.millis();
  }

  @Override
  public long nanoseconds() {
    return TimeUnit.MILLISECONDS.toNanos(clock.millis());
  }

  @Override
  public void sleep(long ms) {
    throw new UnsupportedOperationException("the log does not sleep");
  }

  @Override
  public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
    throw new UnsupportedOperationException("the log does not wait");
  }
}

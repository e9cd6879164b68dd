package io.strandline.broker.control.quorum;

import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;

/**
 * Wall time at the start of this process, and from there on what has passed: whoever asks how long
 * ago something was, or waits, goes by it. A wall clock that is put forward would have everything
 * be over at once, and one that is put back would have Kafka's clients wait for hours before they
 * connect again.
 */
public final class SteadyTime implements Time {
  /** The process's. */
  public static final Time STEADY = new SteadyTime(SYSTEM);

  private static final long NANOS_PER_MS = 1_000_000;

  private final Time system;
  private final long startMs;
  private final long startNanos;

  SteadyTime(Time system) {
    this.system = system;
    this.startMs = system.milliseconds();
    this.startNanos = system.nanoseconds();
  }

  @Override
  public long milliseconds() {
    return startMs + (system.nanoseconds() - startNanos) / NANOS_PER_MS;
  }

  @Override
  public long nanoseconds() {
    return system.nanoseconds();
  }

  @Override
  public void sleep(long ms) {
    system.sleep(ms);
  }

  @Override
  public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs)
      throws InterruptedException {
    system.waitObject(object, condition, system.milliseconds() + deadlineMs - milliseconds());
  }
}

package io.strandline.broker.control.quorum;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.apache.kafka.common.utils.Time;
import org.junit.jupiter.api.Test;

/** Time that passes and does not jump. */
class SteadyTimeTest {
  @Test
  void itGoesOnAsTimePassesAndNotAsTheWallClockIsSet() {
    Clock wall = new Clock();
    SteadyTime steady = new SteadyTime(wall);
    assertThat(steady.milliseconds()).isEqualTo(1_000_000);
    wall.milliseconds -= TimeUnit.HOURS.toMillis(10);
    assertThat(steady.milliseconds()).isEqualTo(1_000_000);
    wall.nanoseconds += 5_000_000;
    assertThat(steady.milliseconds()).isEqualTo(1_000_005);
    wall.milliseconds += TimeUnit.HOURS.toMillis(20);
    assertThat(steady.milliseconds()).isEqualTo(1_000_005);
  }

  @Test
  void aDeadlineIsItsOwn() throws Exception {
    Clock wall = new Clock();
    SteadyTime steady = new SteadyTime(wall);
    wall.milliseconds -= 500;
    steady.waitObject(this, () -> true, 1_000_010);
    assertThat(wall.deadlineMs).as("so long by the wall clock").isEqualTo(999_510);
  }

  private static final class Clock implements Time {
    private long milliseconds = 1_000_000;
    private long nanoseconds = 77;
    private long deadlineMs;

    @Override
    public long milliseconds() {
      return milliseconds;
    }

    @Override
    public long nanoseconds() {
      return nanoseconds;
    }

    @Override
    public void sleep(long ms) {
      throw new UnsupportedOperationException();
    }

    @Override
    public void waitObject(Object object, Supplier<Boolean> condition, long deadlineMs) {
      this.deadlineMs = deadlineMs;
    }
  }
}

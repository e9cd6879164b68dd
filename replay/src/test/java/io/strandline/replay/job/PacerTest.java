package io.strandline.replay.job;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class PacerTest {
  private final AtomicLong nanos = new AtomicLong();

  private void pause(long ms) {
    nanos.addAndGet(ms * 1_000_000);
  }

  @Test
  void takesASecondAtOnceAndThenKeepsTheRate() throws Exception {
    Pacer pacer = new Pacer(1_000_000, nanos::get, this::pause);
    pacer.take(1_000_000);
    assertThat(nanos.get()).isZero();
    for (int i = 0; i < 100; i++) {
      pacer.take(50_000);
    }
    assertThat(nanos.get()).isBetween(4_900_000_000L, 5_100_000_000L);
  }

  @Test
  void withoutALimitItNeverWaits() throws Exception {
    Pacer pacer = new Pacer(0, nanos::get, this::pause);
    pacer.take(Long.MAX_VALUE);
    assertThat(nanos.get()).isZero();
  }
}

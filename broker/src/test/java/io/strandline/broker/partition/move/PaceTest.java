package io.strandline.broker.partition.move;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import org.junit.jupiter.api.Test;

/** What is copied is waited for, at the rate and by the clock as they are now. */
class PaceTest {
  private long nowMs = 1_700_000_000_000L;
  private long bytesPerSecond = 1_000;
  private final Pace pace = new Pace(() -> bytesPerSecond, () -> Instant.ofEpochMilli(nowMs));

  @Test
  void whatWasCopiedIsWaitedFor() {
    assertThat(pace.waitMs()).isZero();
    pace.copied(500);
    assertThat(pace.waitMs()).isEqualTo(500);
    nowMs += 499;
    assertThat(pace.waitMs()).isEqualTo(1);
    nowMs += 10_000;
    assertThat(pace.waitMs()).isZero();
    pace.copied(500);
    assertThat(pace.waitMs()).as("nothing is saved up").isEqualTo(500);
  }

  @Test
  void aRaisedRateHoldsForWhatWasCopiedBefore() {
    pace.copied(1 << 20);
    assertThat(pace.waitMs()).isEqualTo(1_000);
    nowMs += 1_000;
    bytesPerSecond = 1 << 20;
    assertThat(pace.waitMs()).isZero();
  }

  @Test
  void aClockThatIsSetBackIsNotWaitedFor() {
    pace.copied(500);
    nowMs -= 86_400_000;
    assertThat(pace.waitMs()).isEqualTo(500);
    nowMs += 500;
    assertThat(pace.waitMs()).isZero();
  }
}

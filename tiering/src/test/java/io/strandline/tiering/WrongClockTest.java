package io.strandline.tiering;

import static io.strandline.tiering.TestTier.HOUR_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A wall clock that was ahead for a while and is set back, in the life of one process. */
class WrongClockTest {
  private static final long YEAR_MS = 365 * 24 * HOUR_MS;

  @TempDir Path directory;

  @Test
  void whatWasPutOffMeanwhileIsDoneInTime() throws IOException {
    TestTier tier = new TestTier(directory, 1);
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 20);
    TierPolicy[] policy = {new TierPolicy(-1, -1, -1, -1, false)};
    tier.time.wrongBy(YEAR_MS);
    tier.join(log, 1, () -> policy[0]);
    tier.time.advance(60_000);
    assertThat(log.isTiered(tier.pipeline)).isTrue();
    tier.time.wrongBy(0);
    log.seal(2, 20);
    policy[0] = new TierPolicy(-1, 0, -1, 0, false);
    tier.time.advance(60_000);
    assertThat(log.isTiered(tier.pipeline)).as("passes go on").isTrue();
    assertThat(log.segments()).as("local bytes go").isEmpty();
    assertThat(tier.entries(log.partition())).as("retention goes on").isEmpty();
    tier.time.advance(30 * HOUR_MS);
    assertThat(tier.segmentObjects()).as("and so does deletion").isEmpty();
  }

  @Test
  void aForwardClockGoesOnWhereTheOtherIsSetBack() {
    Iterator<Long> wall = List.of(5L, 9_000L, 9_010L, 100L, 110L, 200L).iterator();
    var clock = new io.strandline.tiering.upkeep.ForwardClock(wall::next);
    assertThat(List.of(clock.millis(), clock.millis(), clock.millis()))
        .containsExactly(5L, 9_000L, 9_010L);
    assertThat(List.of(clock.millis(), clock.millis(), clock.millis()))
        .containsExactly(9_010L, 9_020L, 9_110L);
  }
}

package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class GatheringTest {
  private static final long WAIT_MS = 60_000;
  private static final long NOW_MS = 1_000_000;

  @TempDir Path directory;

  private final TierLag lag = new TierLag();

  private Gathering gathering(TestHotLog log, long bytes, TierPolicy policy) {
    return new Gathering(
        new GatherConfig(bytes, WAIT_MS),
        4,
        new TierMember(log, log, log::end, 1, () -> policy),
        lag);
  }

  private boolean worthIt(TestHotLog log, long bytes, TierPolicy policy, long nowMs) {
    lag.measure(log.segments(), NOW_MS);
    return gathering(log, bytes, policy).worthIt(0, nowMs);
  }

  @Test
  void aSegmentWaitsForOthersUntilThereAreBytesEnough() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 10);
    long bytes = log.sizeBytes() + 1;
    assertThat(worthIt(log, bytes, TierPolicy.keepAll(), NOW_MS)).isFalse();
    log.seal(2, 10);
    assertThat(worthIt(log, bytes, TierPolicy.keepAll(), NOW_MS)).isTrue();
  }

  @Test
  void asManyAsAVersionNamesWaitForNothing() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 1).seal(2, 1).seal(3, 1);
    assertThat(worthIt(log, Long.MAX_VALUE, TierPolicy.keepAll(), NOW_MS)).isFalse();
    log.seal(4, 1);
    assertThat(worthIt(log, Long.MAX_VALUE, TierPolicy.keepAll(), NOW_MS)).isTrue();
  }

  @Test
  void nothingWaitsLongerThanIsAllowed() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 1);
    TierPolicy keep = TierPolicy.keepAll();
    assertThat(worthIt(log, Long.MAX_VALUE, keep, NOW_MS + WAIT_MS - 1)).isFalse();
    assertThat(worthIt(log, Long.MAX_VALUE, keep, NOW_MS + WAIT_MS)).isTrue();
  }

  @Test
  void whatLocalRetentionWantsGoneGoesUpAtOnce() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 10).seal(2, 10);
    long newer = log.segments().get(1).logBytes();
    TierPolicy keepsBoth = new TierPolicy(-1, -1, -1, newer + 1, false);
    TierPolicy keepsOne = new TierPolicy(-1, -1, -1, newer, false);
    TierPolicy internal = new TierPolicy(-1, -1, -1, newer, true);
    assertThat(worthIt(log, Long.MAX_VALUE, keepsBoth, NOW_MS)).isFalse();
    assertThat(worthIt(log, Long.MAX_VALUE, keepsOne, NOW_MS)).isTrue();
    assertThat(worthIt(log, Long.MAX_VALUE, internal, NOW_MS)).isFalse();
  }

  @Test
  void whereThereIsNothingNothingIsWorthIt() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0);
    assertThat(worthIt(log, 0, TierPolicy.keepAll(), NOW_MS + WAIT_MS)).isFalse();
  }
}

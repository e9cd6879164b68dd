package io.strandline.tiering;

import static io.strandline.tiering.TestTier.HOUR_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of how far the tier is behind. */
class TierLagTest {
  private static final TierPolicy KEEP = TierPolicy.keepAll();

  @TempDir Path directory;

  private TestTier tier(long seed) throws IOException {
    return new TestTier(directory, seed);
  }

  private TestHotLog log(int partition) throws IOException {
    return new TestHotLog(directory, partition);
  }

  @Test
  void theLagGrowsWhileTheStoreIsAwayAndIsGoneAfter() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    long bytes = log.segments().get(0).logBytes();
    tier.faults(call -> Fault.of(Fault.Kind.LOST_REQUEST));
    tier.join(log, 1, KEEP);
    tier.time.advance(60_000);
    assertThat(tier.metrics.get("strandline.tiering.lag").gauge().value()).isEqualTo(bytes);
    double aMinute = tier.metrics.get("strandline.tiering.lag.age").timeGauge().value();
    assertThat(aMinute).isBetween(50.0, 60.0);
    log.seal(2, 20);
    tier.time.advance(HOUR_MS);
    assertThat(tier.metrics.get("strandline.tiering.lag").gauge().value()).isGreaterThan(bytes);
    assertThat(tier.metrics.get("strandline.tiering.lag.age").timeGauge().value())
        .isBetween(aMinute + 3_500, aMinute + 3_601);
    tier.faults(FaultPlan.none());
    tier.time.advance(HOUR_MS);
    assertThat(tier.metrics.get("strandline.tiering.lag").gauge().value()).isZero();
    assertThat(tier.metrics.get("strandline.tiering.lag.age").timeGauge().value()).isZero();
  }

  @Test
  void theLagGrowsAndHasACauseWhileAnUploadHangs() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    Fault hangs = new Fault(Fault.Kind.LOST_REQUEST, Duration.ofMinutes(1), Duration.ZERO);
    tier.faults(call -> hangs);
    log.seal(2, 20);
    tier.time.advance(5_000);
    assertThat(lag(tier, TierTrouble.NONE)).isPositive().isEqualTo(lag(tier));
    double before = lag(tier);
    log.seal(3, 20);
    tier.time.advance(15_000);
    assertThat(lag(tier)).as("sealed meanwhile").isGreaterThan(before);
    assertThat(lag(tier, TierTrouble.WAITING)).isEqualTo(lag(tier));
    assertThat(tier.pipeline.trouble()).contains("1 partitions waiting, the oldest for ");
    tier.time.advance(50_000);
    assertThat(lag(tier, TierTrouble.AWAY)).as("it has failed").isEqualTo(lag(tier));
    tier.faults(FaultPlan.none());
    tier.time.advance(2 * 60_000);
    assertThat(lag(tier)).isZero();
    assertThat(tier.pipeline.trouble()).isEmpty();
  }

  /** A large backlog that goes up one segment after another. */
  @Test
  void aPassThatGetsOnIsNotWaiting() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0);
    for (int i = 0; i < 8; i++) {
      log.seal(i, 5);
    }
    List<StoreCall> puts = new ArrayList<>();
    tier.faults(
        call -> {
          boolean segment = call.subject().endsWith(".seg") && call.operation() == Operation.PUT;
          if (segment) {
            puts.add(call);
          }
          return segment
              ? new Fault(Fault.Kind.NONE, Duration.ofSeconds(8), Duration.ZERO)
              : Fault.NONE;
        });
    tier.join(log, 1, KEEP);
    for (int second = 0; second < 30; second++) {
      tier.time.advance(1_000);
      assertThat(tier.pipeline.trouble()).as("second %s", second).isEmpty();
    }
    assertThat(puts).hasSize(8);
    assertThat(lag(tier)).isZero();
  }

  @Test
  void allOfALargeBacklogIsCounted() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0);
    for (int i = 0; i < 2_500; i++) {
      log.seal(1, 1);
    }
    tier.faults(call -> Fault.of(Fault.Kind.LOST_REQUEST));
    tier.join(log, 1, KEEP);
    tier.time.advance(60_000);
    assertThat(lag(tier)).isEqualTo(log.sizeBytes());
    log.seal(1, 1);
    tier.time.advance(2 * 60_000);
    assertThat(lag(tier)).isEqualTo(log.sizeBytes());
    assertThat(tier.pipeline.backlog(log.partition()))
        .isEqualTo(new Backlog(log.sizeBytes(), 2_501));
    tier.faults(FaultPlan.none());
    tier.time.advance(HOUR_MS);
    assertThat(lag(tier)).isZero();
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(log.end());
  }

  private static double lag(TestTier tier) {
    return tier.metrics.get("strandline.tiering.lag").gauge().value();
  }

  private static double lag(TestTier tier, TierTrouble cause) {
    String name = "strandline.tiering.lag.cause";
    return tier.metrics.get(name).tag("cause", cause.label()).gauge().value();
  }
}

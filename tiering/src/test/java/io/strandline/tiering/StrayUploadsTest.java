package io.strandline.tiering;

import static io.strandline.tiering.TestTier.HOUR_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Uploads left open in partitions that this broker no longer leads. */
class StrayUploadsTest {
  private static final int MINUTE_MS = 60_000;
  private static final Duration SLOW = Duration.ofMinutes(2);
  private static final Duration VERY_SLOW = Duration.ofMinutes(45);

  @TempDir Path directory;

  /** The grace is a minute: none of this is begun and ended within it. */
  private TestTier tier() throws IOException {
    TierConfig d = TierConfig.defaults();
    ScrubConfig s = d.scrub();
    return new TestTier(
        directory,
        1,
        new TierConfig(
            d.upload(),
            d.gather(),
            d.checkMs(),
            d.reclaimMs(),
            d.backoffMinMs(),
            d.backoffMaxMs(),
            d.segmentsPerCommit(),
            new ScrubConfig(s.listMs(), s.bytesPerSecond(), s.roundMs(), MINUTE_MS, s.versions()),
            d.rewrite()));
  }

  @Test
  void whatIsBeingCommittedStaysThoughLeadershipHasMovedMeanwhile() throws IOException {
    TestTier tier = tier();
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 20);
    tier.join(log, 1, TierPolicy.keepAll());
    tier.time.advance(MINUTE_MS);
    assertThat(tier.entries(log.partition())).hasSize(1);
    tier.faults(
        call ->
            call.operation() == Operation.PUT_IF_ABSENT
                ? new Fault(Fault.Kind.NONE, VERY_SLOW, Duration.ZERO)
                : call.operation() == Operation.PUT
                    ? new Fault(Fault.Kind.NONE, Duration.ZERO, SLOW)
                    : Fault.NONE);
    log.seal(2, 20);
    tier.time.advance(5 * MINUTE_MS);
    assertThat(tier.segmentObjects()).as("durable, and not named").hasSize(2);
    CompletableFuture<Void> left = tier.pipeline.leave(log.partition());
    tier.time.advance(30 * MINUTE_MS);
    assertThat(left).isNotDone();
    tier.time.advance(HOUR_MS);
    assertThat(left).isCompleted();
    assertThat(tier.entries(log.partition())).hasSize(2);
    tier.check(log);
  }

  @Test
  void whatNobodyCommitsGoes() throws IOException {
    TestTier tier = tier();
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 20);
    tier.faults(
        call -> call.operation() == Operation.PUT ? Fault.of(Fault.Kind.LOST_ANSWER) : Fault.NONE);
    tier.join(log, 1, TierPolicy.keepAll());
    tier.time.advance(MINUTE_MS / 2);
    assertThat(tier.segmentObjects()).hasSize(1);
    tier.now(tier.pipeline.leave(log.partition()));
    tier.time.advance(30 * MINUTE_MS);
    assertThat(tier.segmentObjects()).isEmpty();
  }
}

package io.strandline.broker.node;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** How long a node that stops waits; each look at the clock finds 20 s passed. */
@Timeout(60)
class HandoverTest {
  private static final long STEP_S = 20;

  private final AtomicLong seconds = new AtomicLong();
  private final CompletableFuture<Void> released = new CompletableFuture<>();

  private long nanos() {
    return TimeUnit.SECONDS.toNanos(seconds.getAndAdd(STEP_S));
  }

  @Test
  void aControllerThatAnswersIsGivenFiveMinutesAndNoMore() {
    new Handover(this::nanos, () -> 500).await(released);
    assertThat(seconds.get()).isBetween(300L, 300 + 2 * STEP_S);
  }

  @Test
  void aNodeThatHearsOfNoControllerWaitsForHalfAMinute() {
    new Handover(this::nanos, () -> 1_000_000).await(released);
    assertThat(seconds.get()).isBetween(30L, 30 + 2 * STEP_S);
  }

  @Test
  void aControllerThatFallsSilentOnTheWayIsWaitedForFromThenOn() {
    AtomicLong silentMs = new AtomicLong();
    Handover handover =
        new Handover(this::nanos, () -> seconds.get() > 100 ? silentMs.addAndGet(10_000) : 0);
    handover.await(released);
    assertThat(seconds.get()).isBetween(120L, 200L);
  }

  @Test
  void whoIsLetGoWaitsNoMore() {
    released.complete(null);
    new Handover(this::nanos, () -> 0).await(released);
    assertThat(seconds.get()).isLessThanOrEqualTo(2 * STEP_S);
  }

  @Test
  void whoIsAskedAgainWaitsNoMore() {
    Handover handover = new Handover(this::nanos, () -> 0);
    handover.hurry();
    handover.await(released);
    assertThat(seconds.get()).isLessThanOrEqualTo(2 * STEP_S);
  }
}

package io.strandline.broker.guard.quota;

import static org.assertj.core.api.Assertions.assertThat;

import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Sensor;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Whose turn it is while a quota is used up. */
class PrecedenceTest {
  private final Metrics metrics = new Metrics();
  private final Sensor quota = metrics.sensor("quota");
  private final Precedence precedence = new Precedence();
  private long nowMs = 1_000;

  @AfterEach
  void close() {
    metrics.close();
  }

  @Test
  void theFirstInLineIsGivenItsAnswerOnceThoughTheQuotaIsUsedUp() {
    assertThat(asks("a")).isFalse();
    assertThat(asks("b")).isFalse();
    assertThat(asks("b")).as("not its turn").isFalse();
    assertThat(asks("a")).isTrue();
    assertThat(asks("b")).as("until the quota is kept again").isFalse();
  }

  @Test
  void whoLeavesKeepsNobodyWaiting() {
    assertThat(asks("a")).isFalse();
    assertThat(asks("b")).isFalse();
    precedence.gone("a");
    assertThat(asks("b")).isTrue();
  }

  @Test
  void whoLeavesFromTheMiddleOrWasNeverThereChangesNothing() {
    assertThat(asks("a")).isFalse();
    assertThat(asks("b")).isFalse();
    assertThat(asks("c")).isFalse();
    precedence.gone("b");
    precedence.gone("stranger");
    assertThat(asks("c")).isFalse();
    assertThat(asks("a")).isTrue();
  }

  @Test
  void whoStaysAndDoesNotAskLosesItsTurnInTheEnd() {
    assertThat(asks("a")).isFalse();
    nowMs += 300_000;
    assertThat(asks("b")).isFalse();
    assertThat(asks("b")).isFalse();
    nowMs++;
    assertThat(asks("b")).isTrue();
  }

  /** While the quota is used up. */
  private boolean asks(String connection) {
    synchronized (quota) {
      return precedence.admits(quota, connection, false, nowMs);
    }
  }
}

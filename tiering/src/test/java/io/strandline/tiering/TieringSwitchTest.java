package io.strandline.tiering;

import static io.strandline.tiering.TestTier.HOUR_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tiering turned off and on again (KIP-950), with a process crash in each state. */
class TieringSwitchTest {
  private static final TierPolicy KEEP_NOTHING_LOCAL = new TierPolicy(-1, -1, -1, 0, false);

  @TempDir Path directory;
  private TestTier tier;
  private TestHotLog log;
  private TierPolicy policy = KEEP_NOTHING_LOCAL;
  private int epoch;

  @BeforeEach
  void begin() throws IOException {
    tier = new TestTier(directory, 1);
    log = new TestHotLog(directory, 0);
  }

  private void lead() {
    epoch++;
    tier.join(log, epoch, () -> policy);
    tier.time.advance(60_000);
  }

  private void restart() throws IOException {
    tier.crash();
    lead();
  }

  private void turn(Copying copying) {
    policy = policy.with(copying);
    tier.time.advance(60_000);
  }

  private long tierStart() {
    return tier.view(log.partition()).startOffset();
  }

  private long tierEnd() {
    return tier.view(log.partition()).endOffset();
  }

  @Test
  void offCopiesAndReleasesNothingAndOnGoesOnWithoutAGap() throws IOException {
    log.seal(1, 20).seal(2, 20);
    lead();
    long end = log.end();
    assertThat(log.segments()).isEmpty();
    turn(Copying.OFF);
    for (int state = 0; state < 2; state++) {
      log.seal(3 + state, 20);
      tier.time.advance(HOUR_MS);
      assertThat(tierStart()).isZero();
      assertThat(tierEnd()).as("restarts: %d", state).isEqualTo(end);
      assertThat(log.segments()).hasSize(1 + state);
      restart();
    }
    turn(Copying.ON);
    assertThat(tierEnd()).isEqualTo(log.end());
    assertThat(log.segments()).isEmpty();
    tier.check(log);
    assertThat(tier.entries(log.partition())).hasSize(4);
  }

  @Test
  void whatTheLogLetGoMeanwhileTheTierLetsGoTooAndBeginsThere() throws IOException {
    log.seal(1, 20).seal(2, 20);
    lead();
    turn(Copying.OFF);
    long end = log.seal(3, 20).seal(4, 20).end();
    long start = log.segments().get(1).baseOffset();
    log.advanceLogStart(start);
    restart();
    assertThat(tier.view(log.partition()).segmentCount()).isZero();
    tier.time.advance(30 * HOUR_MS);
    assertThat(tier.segmentObjects()).as("after the grace").isEmpty();
    turn(Copying.ON);
    assertThat(tier.entries(log.partition()))
        .singleElement()
        .satisfies(e -> assertThat(e.baseOffset()).isEqualTo(start));
    assertThat(tierEnd()).isEqualTo(end);
    tier.check(log);
  }

  @Test
  void offKeepsTheLimitsOfTierAndLogTogether() throws IOException {
    log.seal(1, 20).seal(2, 20).seal(3, 20);
    lead();
    List<SegmentEntry> entries = tier.entries(log.partition());
    log.seal(4, 20);
    long local = log.sizeBytes();
    long newest = entries.get(2).lengthBytes();
    policy = new TierPolicy(-1, local + newest, -1, 0, false, Copying.OFF);
    restart();
    assertThat(log.logStartOffset()).isEqualTo(entries.get(2).baseOffset());
    assertThat(tierStart()).isEqualTo(log.logStartOffset());
    assertThat(log.sizeBytes()).isEqualTo(local);
    policy = new TierPolicy(-1, local, -1, 0, false, Copying.OFF);
    tier.time.advance(60_000);
    assertThat(tier.view(log.partition()).segmentCount()).isZero();
    assertThat(log.logStartOffset())
        .as("local records alone")
        .isEqualTo(entries.get(2).endOffset());
  }

  @Test
  void droppedHistoryGoesAfterTheGraceAndTheLogKeepsItsLocalPart() throws IOException {
    dropped();
    long start = log.localLogStartOffset();
    assertThat(log.logStartOffset()).isEqualTo(start).isPositive();
    assertThat(tier.entries(log.partition())).isEmpty();
    assertThat(tier.segmentObjects()).as("within the grace").hasSize(3);
    restart();
    tier.time.advance(30 * HOUR_MS);
    assertThat(tier.segmentObjects()).isEmpty();
    assertThat(log.segments()).as("local records").hasSize(2);
    assertThat(log.logStartOffset()).isEqualTo(start);
  }

  /** Three segments in the tier, the last two of them local too; then given up. */
  private void dropped() throws IOException {
    log.seal(1, 20).seal(2, 20).seal(3, 20);
    policy = new TierPolicy(-1, -1, -1, log.sizeBytes() - log.segments().get(0).logBytes(), false);
    lead();
    assertThat(log.segments()).hasSize(2);
    turn(Copying.DROP);
  }

  @Test
  void onAgainAfterADropBeginsWhereTheLogDoes() throws IOException {
    dropped();
    long start = log.logStartOffset();
    log.seal(4, 20);
    policy = KEEP_NOTHING_LOCAL;
    restart();
    assertThat(tier.entries(log.partition()).get(0).baseOffset()).isEqualTo(start);
    assertThat(tierEnd()).isEqualTo(log.end());
    assertThat(log.logStartOffset()).isEqualTo(start);
    assertThat(log.segments()).isEmpty();
    tier.check(log);
    tier.time.advance(60 * HOUR_MS);
    tier.check(log);
    tier.checkNoOrphans(log);
  }

  /** Before the next try, after what is local could have been freed, and when all is over. */
  @ParameterizedTest
  @ValueSource(longs = {1, 45_000, HOUR_MS})
  void onAgainBeforeADropIsAnsweredNothingIsLost(long lateMs) {
    log.seal(1, 20).seal(2, 20).seal(3, 20);
    policy = TierPolicy.keepAll();
    lead();
    assertThat(tierEnd()).isEqualTo(log.end());
    int[] late = {0};
    tier.faults(
        call -> {
          if (call.operation() != Operation.PUT_IF_ABSENT || policy.copying() != Copying.DROP) {
            return Fault.NONE;
          }
          late[0]++;
          policy = KEEP_NOTHING_LOCAL;
          return new Fault(Fault.Kind.LATE_REQUEST, Duration.ofMillis(lateMs), Duration.ZERO);
        });
    turn(Copying.DROP);
    tier.time.advance(2 * HOUR_MS);
    assertThat(late[0]).isEqualTo(1);
    assertThat(log.logStartOffset()).isZero();
    assertThat(tierStart()).isZero();
    assertThat(tierEnd()).isEqualTo(log.end());
    assertThat(log.segments()).as("local, once it is in the tier again").isEmpty();
    tier.check(log);
  }

  /** Process crash at every store call of a drop and of what follows when it is on again. */
  @Test
  void aCrashAtAnyRequestLeavesNoGap() throws IOException {
    int crashAt = 0;
    boolean crashed = true;
    while (crashed) { // until there was no request left to crash at
      crashAt++;
      Path there = directory.resolve("crash-" + crashAt);
      tier = new TestTier(there, crashAt);
      log = new TestHotLog(there, 0);
      log.seal(1, 5).seal(2, 5).seal(3, 5);
      policy =
          new TierPolicy(-1, -1, -1, log.sizeBytes() - log.segments().get(0).logBytes(), false);
      lead();
      int[] calls = {0};
      int fatal = crashAt;
      tier.faults(
          call -> {
            calls[0]++;
            return calls[0] < fatal
                ? Fault.NONE
                : Fault.of(calls[0] == fatal ? Fault.Kind.LOST_ANSWER : Fault.Kind.LOST_REQUEST);
          });
      turn(Copying.DROP);
      policy = KEEP_NOTHING_LOCAL;
      tier.time.advance(60_000);
      tier.check(log);
      crashed = calls[0] >= crashAt;
      tier.faults(call -> Fault.NONE);
      restart();
      tier.time.advance(120_000);
      assertThat(log.logStartOffset()).as("crash %d", crashAt).isEqualTo(tierStart());
      assertThat(tierEnd()).isEqualTo(log.end());
      assertThat(log.segments()).isEmpty();
      tier.check(log);
    }
    assertThat(crashAt).as("requests, and one").isGreaterThan(3);
  }

  @Test
  void whatWasNeverTieredCostsOneLook() throws IOException {
    List<StoreCall> calls = tier.recordCalls();
    log.startAt(500).seal(1, 20).seal(2, 20);
    policy = KEEP_NOTHING_LOCAL.with(Copying.OFF);
    lead();
    tier.time.advance(60 * HOUR_MS);
    assertThat(calls).extracting(StoreCall::operation).containsExactly(Operation.LIST);
    assertThat(tier.metrics.get("strandline.tiering.lag").gauge().value()).isZero();
    policy = KEEP_NOTHING_LOCAL.with(Copying.DROP);
    tier.time.advance(HOUR_MS);
    assertThat(calls).hasSize(1);
    assertThat(log.segments()).hasSize(2);
    turn(Copying.ON);
    assertThat(tierEnd()).isEqualTo(log.end());
    tier.check(log);
  }

  @Test
  void aLogStartThatWasForgottenIsLearntFromATierThatWasEmptied() throws IOException {
    log.seal(1, 20);
    policy = TierPolicy.keepAll();
    lead();
    log.seal(2, 20);
    tier.time.advance(60_000);
    long first = log.segments().get(1).baseOffset();
    log.advanceLogStart(log.end());
    tier.time.advance(60_000);
    assertThat(tierStart()).isEqualTo(log.end());
    TestHotLog late = new TestHotLog(directory.resolve("late"), 0).startAt(first).seal(2, 20);
    assertThat(late.end()).isEqualTo(log.end());
    log = late;
    restart();
    assertThat(late.logStartOffset()).isEqualTo(late.end());
  }
}

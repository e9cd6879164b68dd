package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.TierPipeline.Relief;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.store.memory.Fault;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Room on a disk: the oldest tiered segments go first, and nothing else ever. */
class ReliefTest {
  @TempDir Path directory;
  private TestTier tier;

  @BeforeEach
  void begin() throws IOException {
    tier = new TestTier(directory, 1);
  }

  private TestHotLog tiered(int partition, TierPolicy policy) throws IOException {
    TestHotLog log = new TestHotLog(directory, partition);
    for (int i = 0; i < 3; i++) {
      log.seal(partition * 10L + i, 5 + partition);
    }
    tier.join(log, 1, policy);
    return log;
  }

  private Relief relieve(long bytes) {
    return tier.now(tier.pipeline.relieve(partition -> true, bytes));
  }

  /** The store is away by then: what is committed is known without it. */
  @Test
  void theOldestOfAllPartitionsGoesFirst() throws IOException {
    List<TestHotLog> logs = new ArrayList<>();
    for (int partition = 0; partition < 4; partition++) {
      logs.add(tiered(partition, TierPolicy.keepAll()));
    }
    tier.time.advance(60_000);
    tier.faults(call -> Fault.of(Fault.Kind.LOST_REQUEST));
    long left = 12;
    while (left > 0) {
      long before = bytes(logs);
      SealedSegment oldest =
          logs.stream()
              .filter(log -> !log.segments().isEmpty())
              .map(log -> log.segments().get(0))
              .min(Comparator.comparingLong(SealedSegment::maxTimestamp))
              .orElseThrow();
      Relief relief = relieve(1);
      assertThat(relief.freedBytes()).isEqualTo(before - bytes(logs)).isPositive();
      assertThat(logs).noneMatch(log -> log.segments().contains(oldest));
      left--;
      assertThat(logs.stream().mapToInt(log -> log.segments().size()).sum()).isEqualTo(left);
    }
    assertThat(relieve(1)).isEqualTo(Relief.NONE);
    assertThat(logs).allMatch(log -> log.logStartOffset() == 0);
  }

  private static long bytes(List<TestHotLog> logs) {
    return logs.stream().mapToLong(TestHotLog::sizeBytes).sum();
  }

  @Test
  void internalTopicsAndThoseTurnedOffStayAndWhatWasSealedSinceDoes() throws IOException {
    TierPolicy[] switched = {TierPolicy.keepAll()};
    TestHotLog internal = tiered(0, new TierPolicy(-1, -1, -1, -1, true));
    TestHotLog off = new TestHotLog(directory, 1).seal(5, 5);
    tier.join(off, 1, () -> switched[0]);
    TestHotLog on = tiered(2, TierPolicy.keepAll());
    tier.time.advance(60_000);
    assertThat(tier.entries(off.partition())).hasSize(1);
    switched[0] = switched[0].with(Copying.OFF);
    tier.faults(call -> Fault.of(Fault.Kind.LOST_REQUEST));
    on.seal(77, 5);
    Relief relief = relieve(Long.MAX_VALUE);
    assertThat(relief.freedBytes()).isPositive();
    assertThat(internal.segments()).hasSize(3);
    assertThat(off.segments()).hasSize(1);
    assertThat(on.segments()).as("not tiered").hasSize(1);
  }

  /** What was committed before is named by nobody after that, and lies nowhere but here. */
  @Test
  void afterTheTierWasGivenUpNothingOfItCountsAsCommitted() throws IOException {
    TierPolicy[] switched = {TierPolicy.keepAll()};
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 5).seal(2, 5);
    tier.join(log, 1, () -> switched[0]);
    tier.time.advance(60_000);
    assertThat(tier.entries(log.partition())).hasSize(2);
    switched[0] = switched[0].with(Copying.DROP);
    tier.time.advance(60_000);
    assertThat(tier.entries(log.partition())).isEmpty();
    tier.faults(call -> Fault.of(Fault.Kind.LOST_REQUEST));
    switched[0] = switched[0].with(Copying.ON);
    assertThat(relieve(Long.MAX_VALUE)).isEqualTo(Relief.NONE);
    assertThat(log.segments()).hasSize(2);
  }
}

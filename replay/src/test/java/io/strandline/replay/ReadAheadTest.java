package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What is read ahead of whom, told from the requests that the store saw. */
class ReadAheadTest {
  private static final int CHUNK = TestTier.CHUNK;
  private static final long BUDGET = 48L * CHUNK;
  private static final long IDLE_NANOS = 31_000_000_000L;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @SuppressWarnings("NullAway.Init")
  private TestTier tier;

  @BeforeEach
  void open() {
    tier = new TestTier(dir, 5, new SerialExecutor(), TestTier.small(BUDGET), 96L * CHUNK);
    for (int i = 0; i < 12; i++) {
      tier.segment(20 * CHUNK, 4000);
    }
    tier.store.gets.clear();
  }

  @AfterEach
  void close() {
    tier.close();
  }

  private long read(String reader, long offset) {
    try (ReplayRead read = tier.replay.read(tier.request(offset, CHUNK, reader)).join()) {
      tier.check(offset, read);
      return read.nextOffset();
    }
  }

  private long readSome(String reader, long from, int times) {
    long offset = from;
    for (int i = 0; i < times; i++) {
      offset = read(reader, offset);
    }
    return offset;
  }

  private List<Integer> lengths() {
    return tier.store.gets.stream().map(RecordingStore.Get::lengthBytes).toList();
  }

  @Test
  void itGrowsWithAReaderThatGoesOnAndBeginsAnewAfterAJump() {
    long offset = readSome("r", 0, 12);
    List<Integer> grown = lengths();
    assertThat(grown.get(0)).isLessThanOrEqualTo(2 * CHUNK);
    assertThat(grown.stream().mapToInt(Integer::intValue).max().orElseThrow())
        .isGreaterThanOrEqualTo(8 * CHUNK);
    tier.store.gets.clear();
    readSome("r", offset + tier.endOffset() / 2, 1);
    assertThat(lengths()).allMatch(length -> length <= 2 * CHUNK);
  }

  @Test
  void afterAReaderHasLeftNothingMoreIsAskedFor() {
    readSome("leaves", 0, 12);
    assertThat(tier.replay.reservedBytes()).isPositive();
    int gets = tier.store.gets.size();
    for (int seconds = 0; seconds < 60; seconds += 5) {
      tier.nanos.addAndGet(5_000_000_000L);
      tier.replay.dropIdle();
    }
    assertThat(tier.store.gets).hasSize(gets);
    assertThat(tier.replay.reservedBytes()).isZero();
  }

  @Test
  @Timeout(60)
  void whoFindsNoBudgetForTheNextSegmentDoesNotLookForItAgainAtOnce() {
    TestTier small =
        new TestTier(dir, 5, new SerialExecutor(), TestTier.small(BUDGET), 96L * CHUNK);
    for (int i = 0; i < 3; i++) {
      small.segment(20 * CHUNK, 100); // batches that lie in two chunks at most
    }
    List<ReplayRead> held = new ArrayList<>();
    while (BUDGET - small.replay.reservedBytes() > 2 * CHUNK) {
      // One read each, of one chunk: nothing is read ahead.
      String name = "holds" + held.size();
      held.add(small.replay.read(small.request(0, 1, name)).join());
    }
    long offset = 0;
    while (offset < small.segments.get(2).baseOffset()) {
      long before = small.looks.sum();
      try (ReplayRead read = small.replay.read(small.request(offset, CHUNK, "r")).join()) {
        offset = read.nextOffset();
      }
      assertThat(small.looks.sum() - before).isLessThanOrEqualTo(3);
    }
    held.forEach(ReplayRead::close);
    small.replay.close();
    assertThat(small.replay.reservedBytes()).isZero();
    small.close();
  }

  @Test
  void whoSaysThatItLeavesLosesItAllAtOnceAndNobodyElseDoes() {
    readSome("leaves", 0, 12);
    long alone = tier.replay.reservedBytes();
    assertThat(alone).isPositive();
    long offset = readSome("stays", tier.endOffset() / 2, 12);
    double streams = tier.metrics.get("strandline.replay.streams").gauge().value();
    tier.replay.left("leaves");
    assertThat(tier.replay.reservedBytes()).isPositive();
    assertThat(tier.metrics.get("strandline.replay.streams").gauge().value())
        .isEqualTo(streams - 1);
    read("stays", offset);
    tier.replay.left("stays");
    assertThat(tier.metrics.get("strandline.replay.budget.used").gauge().value()).isZero();
    assertThat(tier.metrics.get("strandline.replay.streams").gauge().value()).isZero();
  }

  @Test
  void aReaderThatLeftWhileItsReadWasUnderWayIsReadAheadOfNoMore() {
    long unused = readSome("leaves", 0, 6);
    tier.store.hold();
    long elsewhere = tier.segments.get(6).baseOffset();
    var unanswered = tier.replay.read(tier.request(elsewhere, 20 * CHUNK, "leaves"));
    assertThat(unanswered.cancel(true)).isTrue();
    int gets = tier.store.gets.size();
    tier.store.release();
    tier.nanos.addAndGet(IDLE_NANOS);
    tier.replay.dropIdle();
    assertThat(tier.store.gets).hasSize(gets);
    assertThat(tier.replay.reservedBytes()).isZero();
  }

  @Test
  void whatTheOneThatLeftHadGoesToThoseWhoWait() {
    readSome("leaves", 0, 12);
    long offset = tier.endOffset() / 2;
    for (int i = 0; i < 40; i++) {
      offset = read("stays", offset);
      assertThat(tier.replay.reservedBytes()).isLessThanOrEqualTo(BUDGET);
    }
    tier.nanos.addAndGet(IDLE_NANOS);
    read("stays", offset);
    assertThat(tier.replay.dropIdle()).isEqualTo(1);
  }

  @Test
  void whatIsUnderWayNeverExceedsTheBudgetWhoeverReadsAhead() {
    long[] offsets = new long[6];
    for (int reader = 0; reader < offsets.length; reader++) {
      offsets[reader] = tier.endOffset() / offsets.length * reader;
    }
    for (int turn = 0; turn < 20; turn++) {
      for (int reader = 0; reader < offsets.length; reader++) {
        if (offsets[reader] < tier.endOffset()) {
          offsets[reader] = read("r" + reader, offsets[reader]);
        }
        assertThat(tier.store.inFlightBytesMax.get()).isLessThanOrEqualTo(BUDGET);
        assertThat(tier.replay.reservedBytes()).isLessThanOrEqualTo(BUDGET);
      }
    }
  }
}

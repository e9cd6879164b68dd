package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.store.StoreCall;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
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
    lag.measure(log.segments(), Long.MAX_VALUE, NOW_MS);
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
    assertThat(worthIt(log, Long.MAX_VALUE, internal, NOW_MS)).as("a backup never waits").isTrue();
  }

  @Test
  void whereThereIsNothingNothingIsWorthIt() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0);
    assertThat(worthIt(log, 0, TierPolicy.keepAll(), NOW_MS + WAIT_MS)).isFalse();
  }

  @Test
  void tooLittleStaysUntilThereIsMoreOrItIsOldOrItsRoomIsWanted() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 10).seal(2, 10);
    long bytes = log.sizeBytes();
    long newestMs =
        log.segments().stream().mapToLong(SealedSegment::maxTimestamp).max().orElseThrow();
    TierPolicy nothingLocal = new TierPolicy(-1, -1, -1, 0, false);
    TierMember member = new TierMember(log, log, log::end, 1, () -> nothingLocal);
    assertThat(few(new GatherConfig(bytes + 1, 0, 0, 0), member, newestMs)).isEqualTo(bytes);
    assertThat(few(new GatherConfig(bytes, 0, 0, 0), member, newestMs)).isZero();
    TierPolicy internal = new TierPolicy(-1, -1, -1, -1, true);
    TierMember backup = new TierMember(log, log, log::end, 1, () -> internal);
    assertThat(few(new GatherConfig(bytes + 1, 0, 0, 0), backup, newestMs)).isZero();
    GatherConfig aged = new GatherConfig(bytes + 1, 60_000, 0, 0);
    assertThat(few(aged, member, newestMs + 59_999)).isEqualTo(bytes);
    assertThat(few(aged, member, newestMs + 60_000)).isZero();

    Gathering asked =
        new Gathering(new GatherConfig(bytes + 1, 0, 1 << 30, WAIT_MS), 4, member, lag);
    asked.look(0, newestMs);
    assertThat(asked.worthIt(0, newestMs)).isFalse();
    asked.ask();
    asked.look(0, newestMs);
    assertThat(asked.worthIt(0, newestMs)).isTrue();
    asked.look(log.end(), newestMs);
    asked.look(0, newestMs);
    assertThat(asked.worthIt(0, newestMs)).as("asked once").isFalse();
  }

  /** A compacted topic is compacted in the tier alone ({@code max.compaction.lag.ms}). */
  @Test
  void tooLittleGoesUpOnceItsFirstRecordIsTooOldNotToBeCompacted() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0).seal(1, 10).seal(2, 10);
    long firstMs = log.segments().get(0).firstTimestamp();
    assertThat(firstMs).isLessThan(log.segments().get(0).maxTimestamp());
    long bytes = log.sizeBytes();
    GatherConfig config = new GatherConfig(bytes + 1, 0, 1 << 30, WAIT_MS);
    Gathering gathering =
        new Gathering(
            config,
            4,
            compacted(log, new CompactionPolicy(true, 0.5, 0, 3_000, 0, 1 << 30, false)),
            lag);
    gathering.look(0, firstMs + 2_999);
    assertThat(gathering.fewBytes()).isEqualTo(bytes);
    gathering.look(0, firstMs + 3_000);
    assertThat(gathering.worthIt(0, firstMs + 3_000)).isFalse();
    gathering.look(0, firstMs + 3_001);
    assertThat(gathering.fewBytes()).isZero();
    assertThat(gathering.worthIt(0, firstMs + 3_001)).isTrue();

    for (CompactionPolicy never :
        List.of(
            new CompactionPolicy(true, 0.5, 0, Long.MAX_VALUE, 0, 1 << 30, false),
            new CompactionPolicy(false, 0.5, 0, 3_000, 0, 1 << 30, false))) {
      Gathering waits = new Gathering(config, 4, compacted(log, never), lag);
      waits.look(0, firstMs + WAIT_MS);
      assertThat(waits.fewBytes()).isEqualTo(bytes);
    }
  }

  private static TierMember compacted(TestHotLog log, CompactionPolicy policy) {
    return new TierMember(
        log, log, log::end, 1, TierPolicy::keepAll, new Compactable(() -> policy, Map::of));
  }

  /** What is too little; its lag is none. */
  private static long few(GatherConfig config, TierMember member, long nowMs) {
    TierLag lag = new TierLag();
    Gathering gathering = new Gathering(config, 4, member, lag);
    gathering.look(0, nowMs);
    assertThat(gathering.worthIt(0, nowMs)).isEqualTo(gathering.fewBytes() == 0);
    assertThat(lag.bytes() == 0).isEqualTo(gathering.fewBytes() > 0);
    return gathering.fewBytes();
  }

  /** What many small partitions cost: nothing, until their room is wanted. */
  @Test
  void aThousandSmallPartitionsRolledByAgeCostNoRequest() throws IOException {
    TestTier tier = new TestTier(directory, 1, gathering(new GatherConfig(8 << 20, 0, 0, 0)));
    List<StoreCall> calls = tier.recordCalls();
    TierPolicy nothingLocal = new TierPolicy(-1, -1, 0, 0, false);
    List<TestHotLog> logs = new ArrayList<>();
    for (int partition = 0; partition < 1_000; partition++) {
      TestHotLog log = new TestHotLog(directory, partition).seal(partition, 1).seal(partition, 1);
      logs.add(log);
      tier.join(log, 1, nothingLocal);
    }
    tier.time.advance(5 * 60_000);
    assertThat(calls).isEmpty();
    assertThat(tier.metrics.get("strandline.tiering.lag.age").timeGauge().value()).isZero();
    assertThat(tier.metrics.get("strandline.tiering.few").gauge().value())
        .isEqualTo(logs.stream().mapToLong(TestHotLog::sizeBytes).sum());
    TestHotLog first = logs.get(0);
    var asked = tier.pipeline.relieve(partition -> partition.equals(first.partition()), 1);
    assertThat(tier.now(asked)).isEqualTo(new TierPipeline.Relief(0, first.sizeBytes()));
    tier.time.advance(60_000);
    assertThat(first.segments()).isEmpty();
    assertThat(calls).filteredOn(call -> call.operation() == StoreCall.Operation.PUT).hasSize(2);
    assertThat(logs.get(1).segments()).hasSize(2);
  }

  private static TierConfig gathering(GatherConfig gather) {
    TierConfig all = TierConfig.defaults();
    return new TierConfig(
        all.upload(),
        gather,
        all.checkMs(),
        all.reclaimMs(),
        all.backoffMinMs(),
        all.backoffMaxMs(),
        all.segmentsPerCommit(),
        all.scrub(),
        all.rewrite());
  }
}

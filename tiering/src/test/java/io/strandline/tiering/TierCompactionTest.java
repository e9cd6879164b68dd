package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.KeyedLog.Written;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Design invariant 9 of what is tiered, whatever fails. Crash model: process. */
class TierCompactionTest {
  private static final long DAY_MS = 24 * TestTier.HOUR_MS;
  private static final TierPolicy KEEP = TierPolicy.keepAll();
  private static final int SEGMENT_BYTES = 12 << 10;

  /** Of a map for all keys, and of pieces that no segment fits into. */
  private static final RewriteConfig SMALL = config(24 * 1000, 1);

  @TempDir Path directory;

  private static RewriteConfig config(int mapBytes, int concurrency) {
    return new RewriteConfig(
        new CompactionConfig(mapBytes, 0.9, 4096, 1 << 20, BatchBounds.defaults()),
        concurrency,
        3000,
        0,
        15_000,
        Double.MAX_VALUE);
  }

  private static CompactionPolicy policy(long lagMinMs, long lagMaxMs, double ratio) {
    return new CompactionPolicy(true, ratio, lagMinMs, lagMaxMs, DAY_MS, SEGMENT_BYTES, false);
  }

  private static Compactable compacting(CompactionPolicy policy) {
    return new Compactable(() -> policy, Map::of);
  }

  private static final Compactable COMPACTING = compacting(policy(0, Long.MAX_VALUE, 0.01));

  /** Several steps a round. */
  private static final Compactable STEPWISE =
      compacting(new CompactionPolicy(true, 0.01, 0, Long.MAX_VALUE, DAY_MS, 2 << 10, false));

  /** A tier and a log with keys that are written again and again. */
  private final class Scene {
    final TestTier tier;
    final TestHotLog log;
    final KeyedLog keyed;

    Scene(long seed, RewriteConfig config) throws IOException {
      Path own = directory.resolve("s" + seed + "-" + System.identityHashCode(this));
      tier = new TestTier(own, seed).rewriting(config);
      tier.crash();
      log = new TestHotLog(own, 0);
      keyed = new KeyedLog(Files.createDirectories(own.resolve("keyed")), seed, log, now());
    }

    long now() {
      return tier.time.millis();
    }

    List<SegmentEntry> entries() {
      return tier.entries(log.partition());
    }

    TierContent content() {
      return TierContent.read(tier.bucket, entries());
    }

    double read() {
      return tier.metrics.counter("strandline.compaction.read.bytes").count();
    }

    Compaction progress() {
      return tier.view(log.partition()).compaction();
    }

    /** Holds at every moment, within a round too. */
    TierContent check() {
      tier.check(log);
      TierContent content = content();
      long end = tier.view(log.partition()).endOffset();
      assertThat(content.records)
          .allSatisfy(
              (offset, record) -> assertThat(keyed.committed).containsEntry(offset, record));
      assertThat(content.table()).isEqualTo(TierContent.table(below(end)));
      return content;
    }

    /** Of each key the last record, and of these all but tombstones that may be gone. */
    void checkClean(boolean tombstonesGone) {
      long cleaned = progress().cleanedOffset();
      assertThat(progress()).isEqualTo(Compaction.cleanBelow(cleaned));
      NavigableMap<Long, Written> expected = new TreeMap<>();
      keyed.lastOffsets(cleaned).values().forEach(o -> expected.put(o, keyed.committed.get(o)));
      if (tombstonesGone) {
        expected.values().removeIf(written -> written.value() == null);
      }
      assertThat(check().records.headMap(cleaned)).isEqualTo(expected);
    }

    NavigableMap<Long, Written> below(long end) {
      return keyed.committed.headMap(end, false);
    }
  }

  @Test
  void ofEachKeyTheLastRecordStays() throws IOException {
    for (long seed = 0; seed < 20; seed++) {
      Scene s = new Scene(seed, SMALL);
      s.keyed.seal(8, 12);
      s.tier.join(s.log, 1, KEEP, COMPACTING);
      s.tier.time.advance(60_000);
      assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
      s.checkClean(false);
      assertThat(s.entries()).hasSizeLessThan(8);
      assertThat(s.log.segments()).as("local bytes that are clean in the tier").isEmpty();
    }
  }

  @Test
  void whatTheDiskHasNoRoomForIsPutOffAndNotFailed() throws IOException {
    Scene s = new Scene(3, SMALL);
    s.tier.scratchRoom = 1 << 10;
    s.keyed.seal(8, 12);
    s.tier.join(s.log, 1, KEEP, COMPACTING);
    List<StoreCall> calls = s.tier.recordCalls();
    s.tier.time.advance(5 * 60_000);
    assertThat(s.progress().cleanedOffset()).isZero();
    assertThat(s.tier.metrics.counter("strandline.compaction.put.off").count())
        .as("once a minute")
        .isBetween(4.0, 6.0);
    assertThat(s.read()).isZero();
    assertThat(s.tier.pipeline.failingCount()).isZero();
    assertThat(calls).as("nothing is asked while it waits").hasSizeLessThan(40);

    s.tier.scratchRoom = 1 << 20;
    s.tier.time.advance(2 * 60_000);
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
    s.checkClean(false);
  }

  @Test
  void roomIsAskedForSegmentsThatAreLongerThanTheyMayBeNow() throws IOException {
    Scene s = new Scene(4, SMALL);
    s.tier.scratchRoom = 4 << 10; // more than one and a half of today's length
    s.keyed.seal(8, 24);
    s.tier.join(s.log, 1, KEEP, STEPWISE);
    s.tier.time.advance(5 * 60_000);
    assertThat(s.entries()).as("longer than the room").allMatch(e -> e.dataBytes() > 4 << 10);
    assertThat(s.progress()).isEqualTo(Compaction.NONE);
    assertThat(s.read()).as("learnt in vain").isZero();
    assertThat(s.tier.pipeline.failingCount()).isZero();

    s.tier.scratchRoom = 1 << 20;
    s.tier.time.advance(5 * 60_000);
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
    s.checkClean(false);
  }

  @Test
  void noMoreRoomIsAskedForThanThereIsToRewrite() throws IOException {
    Scene s = new Scene(7, SMALL);
    s.tier.scratchRoom = 64 << 10;
    s.keyed.seal(4, 12);
    s.tier.join(
        s.log,
        1,
        KEEP,
        compacting(new CompactionPolicy(true, 0.01, 0, Long.MAX_VALUE, DAY_MS, 1 << 20, false)));
    s.tier.time.advance(5 * 60_000);
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
    s.checkClean(false);
  }

  @Test
  void whatIsLearntInVainIsNotReadEachMinute() throws IOException {
    Scene s = new Scene(8, SMALL);
    s.keyed.seal(4, 12);
    s.tier.faults(
        call -> {
          // Another fills the disk while the round learns.
          s.tier.scratchRoom = call.operation() == Operation.GET ? 0 : s.tier.scratchRoom;
          return Fault.NONE;
        });
    s.tier.join(s.log, 1, KEEP, COMPACTING);
    for (int i = 0; i < 360; i++) {
      s.tier.scratchRoom = 1 << 20;
      s.tier.time.advance(10_000);
    }
    assertThat(s.progress()).isEqualTo(Compaction.NONE);
    long all = s.entries().stream().mapToLong(SegmentEntry::dataBytes).sum();
    assertThat(s.read() / all).as("in an hour").isBetween(3.0, 8.0);

    s.tier.faults(FaultPlan.none());
    s.tier.time.advance(TestTier.HOUR_MS);
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
    s.checkClean(false);
  }

  @Test
  void manyKeysInFewBytesAreLearntAllTheSame() throws IOException {
    Scene s = new Scene(6, config(1 << 20, 1));
    s.keyed.sealManyKeys(4000);
    s.tier.join(s.log, 1, KEEP, COMPACTING);
    s.tier.time.advance(5 * 60_000);
    assertThat(s.tier.pipeline.failingCount()).isZero();
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
    s.checkClean(false);
  }

  @Test
  void aTopicThatIsTurnedOffIsCompactedOnInTheTier() throws IOException {
    Scene s = new Scene(5, SMALL);
    s.keyed.seal(8, 12);
    TierPolicy[] policy = {KEEP};
    Compactable later = compacting(policy(2 * TestTier.HOUR_MS, Long.MAX_VALUE, 0.01));
    s.tier.pipeline.join(new TierMember(s.log, s.log, s.log::end, 1, () -> policy[0], later));
    s.tier.time.advance(60_000);
    long tiered = s.log.end();
    assertThat(s.progress().cleanedOffset()).isZero();
    policy[0] = KEEP.with(Copying.OFF);
    s.keyed.seal(2, 12);
    s.tier.time.advance(5 * TestTier.HOUR_MS);
    assertThat(s.tier.view(s.log.partition()).endOffset()).as("nothing goes up").isEqualTo(tiered);
    assertThat(s.progress().cleanedOffset()).isEqualTo(tiered);
    s.checkClean(false);
  }

  @Test
  void tombstonesAndMarkersGoAfterTheirHorizonAndNotBefore() throws IOException {
    for (long seed = 0; seed < 10; seed++) {
      Scene s = new Scene(seed, SMALL);
      s.keyed.seal(4, 12);
      long old = s.log.end();
      s.tier.join(s.log, 1, KEEP, COMPACTING);
      s.tier.time.advance(60_000);
      s.keyed.seal(1, 3);
      s.tier.time.advance(DAY_MS - 120_000);
      s.checkClean(false);
      int markers = s.content().markers;
      // This round gives horizons to what it makes empty, the one a day later lets go of it.
      s.keyed.seal(1, 3);
      s.tier.time.advance(DAY_MS + 120_000);
      s.keyed.seal(1, 3);
      s.tier.time.advance(DAY_MS + 120_000);
      s.keyed.seal(1, 1);
      s.tier.time.advance(60_000);
      s.check();
      assertThat(s.content().markers).isLessThan(markers + 8);
      assertThat(s.content().records.headMap(old).values())
          .as("seed %d", seed)
          .noneMatch(written -> written.value() == null);
    }
  }

  @Test
  void aMapTooSmallForAllKeysTakesMoreRounds() throws IOException {
    for (long seed = 0; seed < 10; seed++) {
      Scene s = new Scene(seed, config(24 * 24, 1));
      s.keyed.seal(6, 12);
      s.tier.join(s.log, 1, KEEP, COMPACTING);
      s.tier.time.advance(10 * 60_000);
      s.checkClean(false);
      assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
      assertThat(s.tier.metrics.get("strandline.compaction.rounds").counter().count())
          .isGreaterThan(1);
    }
  }

  @Test
  void whatIsYoungStaysAsItIs() throws IOException {
    Scene s = new Scene(1, SMALL);
    s.keyed.seal(4, 12);
    s.tier.join(s.log, 1, KEEP, compacting(policy(TestTier.HOUR_MS, Long.MAX_VALUE, 0.01)));
    s.tier.time.advance(TestTier.HOUR_MS - 60_000);
    assertThat(s.progress()).isEqualTo(Compaction.NONE);
    assertThat(s.content().records).isEqualTo(s.keyed.committed);
    s.tier.time.advance(3 * 60_000);
    s.checkClean(false);
  }

  @Test
  void littleDirtWaitsUntilItIsOld() throws IOException {
    Scene s = new Scene(1, SMALL);
    s.keyed.seal(8, 12);
    s.tier.join(s.log, 1, KEEP, compacting(policy(0, TestTier.HOUR_MS, 0.9)));
    s.tier.time.advance(60_000);
    long cleaned = s.progress().cleanedOffset();
    assertThat(cleaned).isEqualTo(s.log.end());
    s.keyed.seal(1, 1);
    s.tier.time.advance(TestTier.HOUR_MS / 2);
    assertThat(s.progress().cleanedOffset()).isEqualTo(cleaned);
    assertThat(s.tier.metrics.get("strandline.compaction.dirty.ratio").gauge().value())
        .isBetween(0.001, 0.5);
    s.tier.time.advance(TestTier.HOUR_MS);
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
  }

  @Test
  void anInternalTopicIsCompactedInTheTierAndKeepsItsLocalBytes() throws IOException {
    Scene s = new Scene(1, SMALL);
    s.keyed.seal(8, 12);
    CompactionPolicy internal =
        new CompactionPolicy(true, 0.01, 0, Long.MAX_VALUE, DAY_MS, SEGMENT_BYTES, true);
    s.tier.join(s.log, 1, new TierPolicy(-1, -1, -2, -2, true), compacting(internal));
    s.tier.time.advance(60_000);
    s.checkClean(false);
    assertThat(s.log.segments()).hasSize(8);
  }

  @Test
  void retentionAndCompactionGoTogether() throws IOException {
    Scene s = new Scene(1, SMALL);
    s.keyed.seal(8, 12);
    TierPolicy policy = new TierPolicy(2 * DAY_MS, -1, -2, -2, false);
    s.tier.join(s.log, 1, policy, COMPACTING);
    s.tier.time.advance(60_000);
    s.checkClean(false);
    s.tier.time.advance(3 * DAY_MS);
    assertThat(s.entries()).isEmpty();
    assertThat(s.log.logStartOffset()).isEqualTo(s.log.end());
  }

  @Test
  void aRoundThatChangesNothingWritesNothing() throws IOException {
    Scene s = new Scene(1, SMALL);
    s.keyed.seal(8, 12);
    s.tier.join(s.log, 1, KEEP, COMPACTING);
    s.tier.time.advance(60_000);
    List<SegmentEntry> clean = s.entries();
    double written = s.tier.metrics.get("strandline.compaction.written.bytes").counter().count();
    s.tier.time.advance(10 * DAY_MS);
    assertThat(s.entries()).isEqualTo(clean);
    assertThat(s.tier.metrics.get("strandline.compaction.written.bytes").counter().count())
        .isEqualTo(written);
  }

  /** The requests of a whole history: uploads, and two rounds of several steps. */
  private void live(Scene s, int epoch) throws IOException {
    s.tier.join(s.log, epoch, KEEP, STEPWISE);
    s.tier.time.advance(5 * 60_000);
  }

  @Test
  void aCrashOrAFailureAtAnyRequestLeavesOldOrNew() throws IOException {
    Scene whole = new Scene(3, SMALL);
    whole.keyed.seal(6, 10);
    List<StoreCall> calls = whole.tier.recordCalls();
    live(whole, 1);
    whole.checkClean(false);
    assertThat(calls).hasSizeGreaterThan(40);
    for (int at = 0; at < calls.size(); at++) {
      sweep(at, Fault.Kind.LOST_REQUEST, true);
      if (calls.get(at).operation().writes()) {
        sweep(at, Fault.Kind.LOST_ANSWER, true);
        sweep(at, Fault.Kind.LOST_ANSWER, false);
        sweep(at, Fault.Kind.LATE_REQUEST, false);
        sweep(at, Fault.Kind.REPEATED, false);
      } else if (at % 3 == 0) {
        sweep(at, Fault.Kind.LOST_REQUEST, false);
      }
    }
  }

  /** One request fails so; if the process dies of it, another of the next epoch goes on. */
  private void sweep(int at, Fault.Kind kind, boolean dies) throws IOException {
    Scene s = new Scene(3, SMALL);
    s.keyed.seal(6, 10);
    List<StoreCall> calls = new ArrayList<>();
    boolean[] dead = {false};
    s.tier.faults(
        call -> {
          calls.add(call);
          dead[0] |= dies && calls.size() - 1 == at;
          boolean now = calls.size() - 1 == at;
          // What a dead process still asks for is never seen.
          return now
              ? Fault.of(kind)
              : Fault.of(dead[0] ? Fault.Kind.LOST_REQUEST : Fault.Kind.NONE);
        });
    s.tier.join(s.log, 1, KEEP, STEPWISE);
    while (!dead[0] && s.progress().cleanedOffset() < s.log.end()) {
      s.tier.time.advance(5_000);
    }
    s.check();
    s.tier.faults(FaultPlan.none());
    if (dies) {
      s.tier.crash();
      live(s, 2);
    }
    s.tier.time.advance(5 * 60_000);
    s.checkClean(false);
    assertThat(s.progress().cleanedOffset()).isEqualTo(s.log.end());
    if (calls.get(at).operation().writes()) {
      s.tier.time.advance(3 * DAY_MS);
      s.check();
      s.tier.checkNoOrphans(s.log);
    }
  }
}

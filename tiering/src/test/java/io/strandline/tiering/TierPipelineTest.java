package io.strandline.tiering;

import static io.strandline.tiering.TestTier.HOUR_MS;
import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.restore.RestoredEpochs;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.TestLog;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

class TierPipelineTest {
  private static final TierPolicy KEEP = TierPolicy.keepAll();
  private static final TierPolicy KEEP_NOTHING_LOCAL = new TierPolicy(-1, -1, -1, 0, false);

  @TempDir Path directory;

  private TestTier tier(long seed) throws IOException {
    return new TestTier(directory, seed);
  }

  private TestHotLog log(int partition) throws IOException {
    return new TestHotLog(directory, partition);
  }

  @Test
  void sealedSegmentsBecomeObjectsThatTheManifestNames() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20).seal(2, 20).seal(3, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    assertThat(tier.pipeline.progress(log.partition())).contains(new TierProgress(2, log.end(), 1));
    assertThat(tier.entries(log.partition())).hasSize(3);
    assertThat(log.segments()).hasSize(3);
    tier.check(log);
    tier.checkNoOrphans(log);
  }

  @Test
  void localBytesGoOnceCommittedButTheLogStartStays() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20).seal(2, 20);
    tier.join(log, 1, KEEP_NOTHING_LOCAL);
    tier.time.advance(5_000);
    assertThat(log.segments()).isEmpty();
    assertThat(log.logStartOffset()).isZero();
    tier.check(log);
  }

  @Test
  void internalTopicsKeepTheirLocalBytes() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, new TierPolicy(-1, -1, 0, 0, true));
    tier.time.advance(HOUR_MS);
    assertThat(tier.entries(log.partition())).hasSize(1);
    assertThat(log.segments()).hasSize(1);
  }

  @Test
  void nothingAboveTheStableOffsetGoesUp() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20).seal(2, 20);
    long limit = log.segments().get(0).endOffset() + 1;
    tier.pipeline.join(new TierMember(log, log, () -> limit, 1, () -> KEEP));
    tier.time.advance(HOUR_MS);
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(limit - 1);
  }

  @Test
  void anEmptyPartitionCostsNoRequest() throws IOException {
    TestTier tier = tier(1);
    List<StoreCall> calls = tier.recordCalls();
    tier.join(log(0), 1, KEEP);
    tier.time.advance(HOUR_MS);
    assertThat(calls).isEmpty();
  }

  /** The store takes segments again when one was given up and its deletion is still on its way. */
  @Test
  void aDeletionThatLandsLateTakesNothingThatIsNamed() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    List<String> deleted = new ArrayList<>();
    tier.faults(
        call -> {
          if (call.operation() == Operation.DELETE) {
            deleted.add(call.subject());
            return deleted.size() == 1
                ? new Fault(Fault.Kind.LATE_REQUEST, Duration.ofHours(2), Duration.ZERO)
                : Fault.NONE;
          }
          boolean segment = call.operation() == Operation.PUT && call.subject().endsWith(".seg");
          return segment && deleted.isEmpty() ? Fault.of(Fault.Kind.LOST_REQUEST) : Fault.NONE;
        });
    tier.join(log, 1, KEEP_NOTHING_LOCAL);
    tier.time.advance(25 * HOUR_MS); // the grace is a day
    assertThat(deleted).isNotEmpty();
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(log.end());
    tier.time.advance(3 * HOUR_MS);
    tier.check(log);
    tier.checkNoOrphans(log);
  }

  @Test
  void aTierThatEndsWithinASegmentGoesOnThere() throws IOException {
    TestTier tier = tier(1);
    TestHotLog first = log(0).seal(1, 20);
    tier.join(first, 1, KEEP);
    tier.time.advance(5_000);
    tier.now(tier.pipeline.leave(first.partition()));

    // Another replica has the same batches and more, in one segment.
    TestLog longer = TestLog.write(directory.resolve("longer.log"), 1, 0, 50);
    TestHotLog second = log(0).sealAs(longer, 0);
    tier.join(second, 2, KEEP);
    tier.time.advance(5_000);
    assertThat(tier.entries(first.partition()))
        .extracting(e -> e.baseOffset())
        .containsExactly(0L, first.end());
    tier.check(second);
  }

  @Test
  void aLogThatBeginsLateIsTieredFromThere() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).startAt(5_000).seal(1, 20).seal(2, 20);
    log.advanceLogStart(5_003);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(log.end());
    assertThat(tier.view(log.partition()).startOffset()).isGreaterThanOrEqualTo(5_000);
    tier.check(log);
  }

  @Test
  void aLogThatBeginsBehindTheTiersEndIsAFailureAndNotAHole() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    long end = log.end();
    tier.now(tier.pipeline.leave(log.partition()));
    TestHotLog later = log(0).startAt(end + 10).seal(2, 20);
    later.startAt(0);
    TestHotLog gap = later.sealAs(TestLog.write(directory.resolve("g"), 3, end + 10, 5), end + 10);
    tier.join(gap, 2, KEEP);
    tier.time.advance(60_000);
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(end);
    assertThat(tier.metrics.get("strandline.tiering.failing").gauge().value()).isEqualTo(1);
  }

  @Test
  void anOutageStopsNobodyElseAndIsMadeUpFor() throws IOException {
    TestTier tier = tier(1);
    TestHotLog down = log(0).seal(1, 20);
    TestHotLog up = log(1).seal(2, 20);
    long until = tier.time.millis() + HOUR_MS;
    String downKeys = "/" + down.partition().topicId() + "/0/";
    tier.faults(
        call ->
            call.subject().contains(downKeys) && tier.time.millis() < until
                ? Fault.of(Fault.Kind.LOST_REQUEST)
                : Fault.NONE);
    tier.join(down, 1, KEEP_NOTHING_LOCAL);
    tier.join(up, 1, KEEP_NOTHING_LOCAL);
    tier.time.advance(5_000);
    assertThat(up.segments()).isEmpty();
    tier.time.advance(HOUR_MS / 2);
    assertThat(down.segments()).hasSize(1);
    tier.time.advance(HOUR_MS);
    assertThat(down.segments()).isEmpty();
    tier.check(down);
    tier.checkNoOrphans(down, up);
  }

  @Test
  void aFencedLeaderCommitsAndReleasesNothing() throws IOException {
    TestTier tier = tier(1);
    TestHotLog old = log(0).seal(1, 20);
    tier.join(old, 1, KEEP);
    tier.time.advance(5_000);
    tier.now(tier.manifests.acquire(old.partition(), 2));
    tier.time.advance(1);
    old.seal(2, 20);
    tier.time.advance(HOUR_MS);
    assertThat(tier.entries(old.partition())).hasSize(1);
    assertThat(tier.metrics.counter("strandline.tiering.fenced").count()).isEqualTo(1);
    // The next epoch here clears what the fenced one left, and takes the segment up again.
    tier.join(old, 3, KEEP);
    tier.time.advance(5_000);
    assertThat(tier.entries(old.partition())).hasSize(2);
    tier.checkNoOrphans(old);
  }

  @Test
  void retentionRemovesFromLogThenManifestThenBucket() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20).seal(2, 20).seal(3, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    tier.now(tier.pipeline.leave(log.partition()));
    long bytes = tier.view(log.partition()).sizeBytes();
    long last = tier.entries(log.partition()).get(2).lengthBytes();
    tier.join(log, 2, new TierPolicy(-1, Math.min(last, bytes), -1, -1, false));
    tier.time.advance(5_000);
    ManifestView view = tier.view(log.partition());
    assertThat(view.segmentCount()).isEqualTo(1);
    assertThat(log.logStartOffset()).isEqualTo(view.startOffset());
    assertThat(tier.segmentObjects()).hasSize(3);
    tier.time.advance(30 * HOUR_MS);
    assertThat(tier.segmentObjects()).hasSize(1);
    tier.check(log);
  }

  /** Nobody will put it again, and no manifest will name it. */
  @ParameterizedTest
  @EnumSource(names = {"LOST_ANSWER", "LATE_REQUEST"})
  void anUploadWhoseRecordsExpiredBeforeItSucceededLeavesNothing(Fault.Kind kind)
      throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    Fault late = new Fault(kind, Duration.ofMillis(200), Duration.ZERO);
    tier.faults(call -> call.operation() == Operation.PUT ? late : Fault.NONE);
    log.seal(2, 20).seal(3, 20);
    tier.time.advance(60_000);
    assertThat(tier.segmentObjects()).hasSizeGreaterThan(1);
    log.advanceLogStart(log.end());
    tier.faults(call -> Fault.NONE);
    log.seal(4, 20);
    tier.time.advance(10 * 60_000);
    assertThat(tier.view(log.partition()).startOffset()).isEqualTo(log.logStartOffset());
    assertThat(tier.segmentObjects()).as("the retired one, and what was put since").hasSize(2);
    tier.check(log);
  }

  @Test
  void oldRecordsExpire() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20).seal(2, 20);
    tier.join(log, 1, new TierPolicy(HOUR_MS, -1, -1, -1, false));
    tier.time.advance(5_000);
    assertThat(log.logStartOffset()).isEqualTo(log.end());
    assertThat(tier.view(log.partition()).segmentCount()).isZero();
    log.seal(3, 5);
    tier.time.advance(60 * HOUR_MS);
    assertThat(tier.segmentObjects()).isEmpty();
  }

  @Test
  void aDeletedTopicLeavesNothingBehind() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20).seal(2, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    var deleted = tier.pipeline.delete(log.partition(), 2, true);
    tier.time.advance(5_000);
    assertThat(deleted).isCompleted();
    assertThat(tier.view(log.partition()).deleted()).isTrue();
    assertThat(tier.segmentObjects()).hasSize(2);
    tier.time.advance(30 * HOUR_MS);
    assertThat(tier.segmentObjects()).isEmpty();
  }

  @Test
  void noLeaderThatComesLateLeavesADeletedTopicBehind() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    assertThat(tier.pipeline.delete(log.partition(), 2, true)).isNotDone();
    tier.time.advance(5_000);
    var late = tier.manifests.acquire(log.partition(), 3);
    tier.time.advance(30 * HOUR_MS);
    assertThat(late).isCompletedWithValueMatching(w -> tier.segmentObjects().isEmpty());
  }

  @Test
  void aReplicaThatDidNotLeadDeletesTheTierIfNobodyElseDid() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    var unused = tier.pipeline.leave(log.partition());
    var deleted = tier.pipeline.delete(log.partition(), 1, false);
    tier.time.advance(24 * HOUR_MS);
    assertThat(tier.view(log.partition()).deleted()).as("left to who led").isFalse();
    tier.time.advance(60 * HOUR_MS);
    assertThat(deleted).isCompleted();
    assertThat(tier.view(log.partition()).deleted()).isTrue();
    tier.time.advance(60 * HOUR_MS);
    assertThat(tier.segmentObjects()).isEmpty();
  }

  @Test
  void aWaiterIsToldOnceTheOffsetIsTiered() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    var reached = tier.pipeline.await(log.partition(), log.end());
    assertThat(reached).isNotDone();
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    assertThat(reached).isCompletedWithValueMatching(p -> p.tieredEndOffset() == log.end());
  }

  /** Process crash at every store call, for each way a request can get lost with the process. */
  @ParameterizedTest
  @EnumSource(
      value = Fault.Kind.class,
      names = {"LOST_REQUEST", "LOST_ANSWER", "LATE_REQUEST"})
  void aCrashAtAnyRequestLeavesNothingUnknown(Fault.Kind kind) throws IOException {
    int crashAt = 0;
    boolean crashed = true;
    while (crashed) { // until there was no request left to crash at
      crashAt++;
      Path there = directory.resolve(kind + "-" + crashAt);
      TestTier tier = new TestTier(there, crashAt);
      TestHotLog log = new TestHotLog(there, 0).seal(1, 5).seal(2, 5).seal(3, 5);
      int[] calls = {0};
      int fatal = crashAt;
      tier.faults(
          call -> {
            calls[0]++;
            Duration later = Duration.ofMillis(kind == Fault.Kind.LATE_REQUEST ? 900 : 0);
            return calls[0] < fatal
                ? Fault.NONE
                : new Fault(
                    calls[0] == fatal ? kind : Fault.Kind.LOST_REQUEST, later, Duration.ZERO);
          });
      tier.join(log, 1, KEEP_NOTHING_LOCAL);
      while (calls[0] < crashAt && tier.time.millis() % HOUR_MS < HOUR_MS / 2) {
        tier.time.advance(1_000);
      }
      crashed = calls[0] >= crashAt;
      tier.check(log);
      if (kind != Fault.Kind.LATE_REQUEST) {
        tier.crash();
      } else {
        // The request is on its way while the process is gone.
        tier.pipeline.close();
      }
      tier.faults(call -> Fault.NONE);
      if (kind == Fault.Kind.LATE_REQUEST) {
        tier.time.advance(2_000);
        tier.crash();
      }
      tier.join(log, 2, KEEP_NOTHING_LOCAL);
      tier.time.advance(120_000);
      assertThat(tier.view(log.partition()).endOffset())
          .as("crash %d", crashAt)
          .isEqualTo(log.end());
      tier.check(log);
      tier.checkNoOrphans(log);
      assertThat(log.segments()).isEmpty();
    }
    assertThat(crashAt).as("requests, and one").isGreaterThan(3);
  }

  @ParameterizedTest
  @ValueSource(longs = {11, 12, 13, 14, 15, 16, 17, 18})
  void chanceFaultsAndCrashesNeverBreakAnInvariant(long seed) throws IOException {
    Random random = new Random(seed);
    TestTier tier = tier(seed);
    List<TestHotLog> logs = List.of(log(0), log(1));
    int epoch = 1;
    for (int round = 0; round < 12; round++) {
      double rate = random.nextDouble() * 0.5;
      tier.faults(FaultPlan.random(random, rate, Duration.ofMillis(300)));
      for (TestHotLog log : logs) {
        log.seal(random.nextLong(), 1 + random.nextInt(6));
        tier.join(log, epoch, KEEP_NOTHING_LOCAL);
      }
      tier.time.advance(random.nextInt(20_000));
      if (random.nextInt(3) == 0) {
        tier.crash();
        epoch++;
      }
      tier.faults(call -> Fault.NONE);
      logs.forEach(tier::check);
    }
    for (TestHotLog log : logs) {
      tier.join(log, epoch + 1, KEEP_NOTHING_LOCAL);
    }
    tier.time.advance(HOUR_MS);
    for (TestHotLog log : logs) {
      assertThat(tier.view(log.partition()).endOffset()).as("seed %d", seed).isEqualTo(log.end());
      tier.check(log);
      assertThat(log.segments()).isEmpty();
    }
    // What late requests left behind is found by the sweep once it is old enough.
    tier.time.advance(60 * HOUR_MS);
    tier.checkNoOrphans(logs.get(0), logs.get(1));
    logs.forEach(tier::check);
  }

  @Test
  void orphansGoOnceOldEnoughAndNothingElseDoes() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    ObjectKey orphan = SegmentId.of(log.partition(), 0, 77).key();
    ObjectKey unknown = ObjectKey.of(SegmentId.prefix(log.partition().topicId(), 0) + "readme");
    ObjectKey otherPartition = SegmentId.of(log(5).partition(), 0, 77).key();
    for (ObjectKey key : List.of(orphan, unknown, otherPartition)) {
      tier.now(tier.bucket.put(key, Payload.of(ByteBuffer.allocate(10))));
    }
    tier.join(log, 1, KEEP);
    tier.time.advance(HOUR_MS);
    tier.pipeline.sweepNow();
    tier.time.advance(HOUR_MS);
    assertThat(tier.segmentObjects()).contains(orphan);
    tier.time.advance(50 * HOUR_MS);
    assertThat(tier.segmentObjects()).doesNotContain(orphan).contains(otherPartition);
    assertThat(tier.now(tier.bucket.head(unknown))).isPresent();
    assertThat(tier.now(tier.bucket.list("probe/", "", 10)).objects()).isEmpty();
    tier.check(log);
  }

  @Test
  void aDeletionSurvivesAnOutageAndARestart() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    tier.faults(call -> Fault.of(Fault.Kind.LOST_REQUEST));
    var deleted = tier.pipeline.delete(log.partition(), 1, true);
    tier.time.advance(HOUR_MS);
    assertThat(deleted).isNotDone();
    tier.crash();
    tier.faults(call -> Fault.NONE);
    tier.time.advance(60_000);
    assertThat(tier.view(log.partition()).deleted()).isTrue();
    tier.crash();
    tier.time.advance(30 * HOUR_MS);
    assertThat(tier.segmentObjects()).isEmpty();
    List<StoreCall> calls = tier.recordCalls();
    tier.crash();
    tier.time.advance(HOUR_MS);
    assertThat(calls).isEmpty();
  }

  /** A node of the lost cluster still runs, and its controller takes a deletion. */
  @Test
  void aDeletionDoesNotReachTheTierOfARestoredCluster() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0).seal(1, 20);
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    var claimed = tier.manifests.acquire(log.partition(), 1 + RestoredEpochs.SKIPPED);
    tier.time.advance(1_000);
    assertThat(claimed).isCompleted();
    var deleted = tier.pipeline.delete(log.partition(), 3, true);
    tier.time.advance(30 * HOUR_MS);
    assertThat(deleted).isCompleted();
    assertThat(tier.view(log.partition()).deleted()).isFalse();
    assertThat(tier.segmentObjects()).hasSize(1);
  }

  @Test
  void aTopicThatWasNeverTieredLeavesNoTrace() throws IOException {
    TestTier tier = tier(1);
    var deleted = tier.pipeline.delete(log(0).partition(), 1, true);
    tier.time.advance(5_000);
    assertThat(deleted).isCompleted();
    assertThat(tier.now(tier.bucket.list("", "", 10)).objects()).isEmpty();
  }

  @Test
  void aSegmentCostsOnePut() throws IOException {
    TestTier tier = tier(1);
    TestHotLog log = log(0);
    for (int i = 0; i < 8; i++) {
      log.seal(i, 10);
    }
    List<StoreCall> calls = tier.recordCalls();
    tier.join(log, 1, KEEP);
    tier.time.advance(5_000);
    assertThat(calls).filteredOn(call -> call.operation() == Operation.PUT).hasSize(8);
    assertThat(tier.view(log.partition()).version()).isEqualTo(2);
  }
}

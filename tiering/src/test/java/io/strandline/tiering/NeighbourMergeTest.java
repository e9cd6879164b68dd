package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.Fault.Kind;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class NeighbourMergeTest {
  @TempDir Path directory;

  /** The batches that the tier holds, one after another. */
  private static byte[] bytes(TestTier tier, List<SegmentEntry> entries) {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (SegmentEntry entry : entries) {
      ByteBuffer data = tier.now(tier.bucket.get(entry.object(), 0, (int) entry.dataBytes()));
      byte[] copy = new byte[data.remaining()];
      data.get(copy);
      all.writeBytes(copy);
    }
    return all.toByteArray();
  }

  @Test
  void smallNeighboursBecomeOneByteForByte() throws IOException {
    RewriteConfig d = RewriteConfig.defaults();
    TestTier tier =
        new TestTier(directory, 1)
            .rewriting(new RewriteConfig(d.core(), 1, 5000, 1 << 20, 15_000, 1e12));
    tier.crash();
    TestHotLog log = new TestHotLog(directory, 0);
    ByteArrayOutputStream local = new ByteArrayOutputStream();
    for (int i = 0; i < 40; i++) {
      log.seal(i, 5);
      local.writeBytes(Files.readAllBytes(log.segments().get(i).log()));
    }
    tier.join(log, 1, TierPolicy.keepAll());
    tier.time.advance(20 * 60_000);
    List<SegmentEntry> merged = tier.entries(log.partition());
    assertThat(merged).hasSizeLessThan(12);
    assertThat(bytes(tier, merged)).isEqualTo(local.toByteArray());
    tier.check(log);
    tier.time.advance(3 * 24 * TestTier.HOUR_MS);
    tier.checkNoOrphans(log);
    assertThat(tier.entries(log.partition())).isEqualTo(merged);
  }

  /** Merges nothing while it is so. */
  private TestTier withoutRoom() throws IOException {
    RewriteConfig d = RewriteConfig.defaults();
    TestTier tier =
        new TestTier(directory, 1)
            .rewriting(new RewriteConfig(d.core(), 1, 5000, 1 << 20, 15_000, 1e12));
    tier.scratchRoom = 0;
    tier.crash();
    return tier;
  }

  private TestHotLog fortySmall() throws IOException {
    TestHotLog log = new TestHotLog(directory, 0);
    for (int i = 0; i < 40; i++) {
      log.seal(i, 5);
    }
    return log;
  }

  /** Changed in one byte, or deleted behind everyone's back. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void whatLiesAroundASegmentThatCannotBeReadIsMerged(boolean gone) throws IOException {
    TestTier tier = withoutRoom();
    TestHotLog log = fortySmall();
    tier.join(log, 1, TierPolicy.keepAll());
    tier.time.advance(20 * 60_000);
    List<SegmentEntry> small = tier.entries(log.partition());
    assertThat(small).as("no room to merge").hasSize(40);
    byte[] before = bytes(tier, small.subList(4, 40));
    SegmentEntry bad = small.get(3);
    if (gone) {
      tier.now(tier.bucket.delete(List.of(bad.object())));
    } else {
      ByteBuffer bytes = tier.now(tier.bucket.get(bad.object(), 1 << 20));
      ByteBuffer changed = ByteBuffer.allocate(bytes.remaining()).put(bytes).flip();
      changed.put(70, (byte) (changed.get(70) ^ 1));
      tier.now(tier.bucket.put(bad.object(), Payload.of(changed)));
    }

    tier.scratchRoom = Long.MAX_VALUE;
    tier.time.advance(TestTier.HOUR_MS);
    List<SegmentEntry> entries = tier.entries(log.partition());
    List<SegmentEntry> behind = entries.subList(entries.indexOf(bad) + 1, entries.size());
    assertThat(entries).contains(bad);
    assertThat(behind).hasSizeLessThan(12);
    assertThat(bytes(tier, behind)).isEqualTo(before);
    assertThat(tier.pipeline.failingCount()).isZero();
    List<StoreCall> calls = tier.recordCalls();
    tier.time.advance(TestTier.HOUR_MS);
    assertThat(calls)
        .as("reads once nothing can be merged")
        .noneMatch(
            call ->
                call.operation() == Operation.GET
                    && SegmentId.parse(new ObjectKey(call.subject())).isPresent());
  }

  @Test
  void whatTransactionsWereAbortedIsKnownAfterTheMerge() throws IOException {
    RewriteConfig d = RewriteConfig.defaults();
    TestTier tier =
        new TestTier(directory, 1)
            .rewriting(new RewriteConfig(d.core(), 1, 5000, 1 << 20, 15_000, 1e12));
    tier.crash();
    TestHotLog log = new TestHotLog(directory, 0);
    KeyedLog keyed =
        new KeyedLog(
            Files.createDirectories(directory.resolve("keyed")), 4, log, tier.time.millis());
    keyed.seal(30, 4);
    tier.join(log, 1, TierPolicy.keepAll());
    tier.time.advance(20 * 60_000);
    List<SegmentEntry> merged = tier.entries(log.partition());
    assertThat(merged).hasSizeLessThan(12);
    assertThat(TierContent.read(tier.bucket, merged).records).isEqualTo(keyed.committed);
  }

  /** The object of each merge is up for minutes before it can be named. */
  @Test
  void whatIsAboutToBeNamedIsNotTakenForLeftOverHoweverShortTheGrace() throws IOException {
    TierConfig d = TierConfig.defaults();
    RewriteConfig r = RewriteConfig.defaults();
    RewriteConfig rewrite = new RewriteConfig(r.core(), 1, 5000, 1 << 20, 15_000, 1e12);
    ScrubConfig scrub =
        new ScrubConfig(24 * TestTier.HOUR_MS, 1 << 20, 30 * 24 * TestTier.HOUR_MS, 1, false);
    TestTier tier =
        new TestTier(
            directory,
            1,
            new TierConfig(
                d.upload(),
                d.gather(),
                10_000,
                d.reclaimMs(),
                d.backoffMinMs(),
                d.backoffMaxMs(),
                d.segmentsPerCommit(),
                scrub,
                () -> rewrite));
    TestHotLog log = new TestHotLog(directory, 0);
    ByteArrayOutputStream local = new ByteArrayOutputStream();
    Set<Long> offsets = new HashSet<>();
    List<StoreCall> merges = new ArrayList<>();
    tier.faults(
        call -> {
          boolean again =
              call.operation() == Operation.PUT
                  && SegmentId.parse(new ObjectKey(call.subject()))
                      .filter(id -> !offsets.add(id.baseOffset()))
                      .isPresent();
          if (again) {
            merges.add(call);
          }
          return again ? new Fault(Kind.NONE, Duration.ZERO, Duration.ofMinutes(3)) : Fault.NONE;
        });
    tier.join(log, 1, TierPolicy.keepAll());
    for (int i = 0; i < 40; i++) {
      log.seal(i, 5);
      local.writeBytes(Files.readAllBytes(log.segments().get(i).log()));
      tier.time.advance(60_000);
    }
    tier.time.advance(20 * 60_000);
    assertThat(merges).as("merges whose put was answered late").hasSizeGreaterThan(2);
    List<SegmentEntry> merged = tier.entries(log.partition());
    assertThat(merged).hasSizeLessThan(30);
    tier.check(log);
    assertThat(bytes(tier, merged)).isEqualTo(local.toByteArray());
  }

  @Test
  void aTopicThatIsTurnedOffRestsAndLosesNothing() throws IOException {
    TestTier tier = withoutRoom();
    TestHotLog log = fortySmall();
    TierPolicy[] policy = {TierPolicy.keepAll()};
    tier.join(log, 1, () -> policy[0]);
    tier.time.advance(20 * 60_000);
    assertThat(tier.entries(log.partition())).as("no room to merge").hasSize(40);
    assertThat(tier.pipeline.failingCount()).isZero();

    policy[0] = policy[0].with(Copying.OFF);
    tier.scratchRoom = Long.MAX_VALUE;
    tier.time.advance(20 * 60_000);
    assertThat(tier.entries(log.partition())).as("turned off").hasSize(40);

    policy[0] = policy[0].with(Copying.ON);
    tier.time.advance(20 * 60_000);
    assertThat(tier.entries(log.partition())).hasSizeLessThan(12);
    tier.check(log);
  }
}

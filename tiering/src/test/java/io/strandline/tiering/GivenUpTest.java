package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.Fault.Kind;
import io.strandline.tiering.upkeep.GiveUp;
import io.strandline.tiering.upkeep.Release;
import io.strandline.tiering.upkeep.Upkept;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Local bytes on their way out while the tier that holds them too is given up. */
class GivenUpTest {
  private static final TierPolicy NOTHING_LOCAL = new TierPolicy(-1, -1, -1, 0, false);

  @TempDir Path directory;
  private final Deque<Runnable> disk = new ArrayDeque<>();
  private TierPolicy policy = TierPolicy.keepAll();
  private TestTier tier;
  private TestHotLog log;
  private ManifestWriter writer;
  private Release release;

  @BeforeEach
  void tierAll() throws IOException {
    tier = new TestTier(directory, 1);
    log = new TestHotLog(directory, 0).seal(1, 20).seal(2, 20);
    tier.join(log, 1, policy);
    tier.time.advance(60_000);
    tier.crash();
    writer = tier.now(tier.manifests.acquire(log.partition(), 2));
    assertThat(writer.view().endOffset()).isEqualTo(log.end());
    policy = NOTHING_LOCAL;
    Upkept upkept = new Upkept(log, log, () -> policy, disk::add, tier.time::millis);
    release = new Release(upkept, tier.metrics.counter("released"), 1_000);
  }

  /** From one state to the other and back, while a task for the disk waits its turn. */
  private void giveUp() {
    tier.time.advance(0);
    assertThat(disk).as("what waits for the disk").hasSize(1);
    policy = NOTHING_LOCAL.with(Copying.DROP);
    Upkept upkept = new Upkept(log, log, () -> policy, Runnable::run, tier.time::millis);
    GiveUp chore = new GiveUp(upkept, release, view -> {}, 1_000);
    assertThat(tier.now(chore.turn(writer, () -> false))).isEqualTo(2);
    policy = NOTHING_LOCAL;
    disk.remove().run();
    assertThat(log.segments()).hasSize(2);
    assertThat(log.logStartOffset()).isZero();
    assertThat(tier.view(log.partition()).segmentCount()).isZero();
  }

  @Test
  void whatACompactionRoundReleasesStays() {
    CompletableFuture<Long> freed = release.freeBelow(writer, log.end());
    giveUp();
    assertThat(freed.join()).isZero();
  }

  @Test
  void whatLocalRetentionReleasesStays() {
    CompletableFuture<Integer> freed = release.turn(writer, () -> false);
    giveUp();
    assertThat(freed.join()).isZero();
  }

  /** The request is late, the topic is turned on again, and then the store carries it out. */
  @Test
  void whatMayStillBeGivenUpStaysUntilThatIsKnown() {
    policy = NOTHING_LOCAL.with(Copying.DROP);
    Upkept upkept = new Upkept(log, log, () -> policy, Runnable::run, tier.time::millis);
    GiveUp chore = new GiveUp(upkept, release, view -> {}, 1_000);
    tier.faults(
        call ->
            call.operation() == Operation.PUT_IF_ABSENT
                ? new Fault(Kind.LATE_REQUEST, Duration.ofMinutes(5), Duration.ZERO)
                : Fault.NONE);
    CompletableFuture<Integer> unanswered = chore.turn(writer, () -> false);
    tier.time.advance(0);
    assertThat(unanswered).isCompletedExceptionally();
    tier.faults(call -> Fault.NONE);
    policy = NOTHING_LOCAL;
    CompletableFuture<Integer> released = release.turn(writer, () -> false);
    CompletableFuture<Long> freed = release.freeBelow(writer, log.end());
    runDisk();
    tier.time.advance(10 * 60_000);
    assertThat(tier.view(log.partition()).segmentCount()).as("the request came").isZero();
    assertThat(log.segments()).hasSize(2);
    assertThat(released).isCompletedWithValue(0);
    assertThat(freed).isCompletedWithValue(0L);

    CompletableFuture<Integer> ended = chore.turn(writer, () -> false);
    runDisk();
    assertThat(ended).isCompleted();
    long version = tier.view(log.partition()).version();
    CompletableFuture<Integer> nothing = chore.turn(writer, () -> false);
    assertThat(nothing).isCompletedWithValue(0);
    assertThat(tier.view(log.partition()).version()).isEqualTo(version);
    assertThat(log.logStartOffset()).isZero();
  }

  private void runDisk() {
    tier.time.advance(0);
    while (!disk.isEmpty()) {
      disk.remove().run();
      tier.time.advance(0);
    }
  }

  @Test
  void aReplicaThatHasLessThanWhoGaveItUpBeginsHigher() {
    CompletableFuture<Long> freed = release.freeBelow(writer, log.end());
    tier.time.advance(0);
    disk.remove().run();
    assertThat(freed.join()).isPositive();
    assertThat(tier.now(writer.drop(5)).segmentCount()).isZero();
    log.advanceLogStart(5);
    Upkept upkept = new Upkept(log, log, () -> policy, Runnable::run, tier.time::millis);
    GiveUp chore = new GiveUp(upkept, release, view -> {}, 1_000);
    tier.now(chore.turn(writer, () -> false));
    assertThat(log.logStartOffset()).as("not given up any more").isEqualTo(5);
    policy = NOTHING_LOCAL.with(Copying.DROP);
    tier.now(chore.turn(writer, () -> false));
    assertThat(log.logStartOffset()).isEqualTo(log.end());
    assertThat(tier.view(log.partition()).endOffset()).isEqualTo(log.end());
  }

  @Test
  void withoutThatItGoes() {
    CompletableFuture<Long> freed = release.freeBelow(writer, log.end());
    tier.time.advance(0);
    disk.remove().run();
    assertThat(freed.join()).isPositive();
    assertThat(log.segments()).isEmpty();
  }
}

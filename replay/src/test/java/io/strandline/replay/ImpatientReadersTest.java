package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Readers that give up before the store or the budget has answered, and ask again. */
class ImpatientReadersTest {
  private static final int CHUNK = TestTier.CHUNK;
  private static final long BUDGET = 4L * CHUNK;
  private static final long TOO_LATE_NANOS = 3_000_000_000L;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @SuppressWarnings("NullAway.Init")
  private TestTier tier;

  private final List<ReplayRead> held = new ArrayList<>();

  @BeforeEach
  void open() {
    tier = new TestTier(dir, 5, new SerialExecutor(), TestTier.small(BUDGET), 32L * CHUNK);
    for (int i = 0; i < 8; i++) {
      tier.segment(10 * CHUNK, 100); // batches that lie in two chunks at most
    }
    tier.store.gets.clear();
  }

  @AfterEach
  void close() {
    held.forEach(ReplayRead::close);
    tier.close();
  }

  private long offset(int segment) {
    return tier.segments.get(segment).baseOffset();
  }

  private CompletableFuture<ReplayRead> ask(String reader, int segment) {
    return tier.replay.read(tier.request(offset(segment), 1, reader));
  }

  /** Reads of one chunk each, whose bytes nobody takes. */
  private void hold(int chunks) {
    for (int i = 0; i < chunks; i++) {
      held.add(ask("holds" + held.size(), held.size()).join());
    }
  }

  private double waiting() {
    return tier.metrics.get("strandline.replay.budget.waiting").gauge().value();
  }

  private void check(CompletableFuture<ReplayRead> read, int segment) {
    assertThat(read).isCompleted();
    tier.check(offset(segment), read.join());
    read.join().close();
  }

  @Test
  void whatWasGivenUpLeavesTheLineAndIsNotLoaded() {
    hold(4);
    tier.store.gets.clear();
    CompletableFuture<ReplayRead> other = ask("other", 6);
    for (int i = 0; i < 20; i++) {
      assertThat(ask("late", 4 + i % 2).cancel(true)).isTrue();
      assertThat(waiting()).isLessThanOrEqualTo(2);
    }
    CompletableFuture<ReplayRead> last = ask("late", 7);
    held.remove(0).close();
    check(other, 6);
    check(last, 7);
    assertThat(tier.store.gets).hasSize(2);
    assertThat(waiting()).isZero();
  }

  @Test
  void whoLeavesWaitsForNothing() {
    hold(4);
    CompletableFuture<ReplayRead> left = ask("leaves", 5);
    tier.replay.left("leaves");
    assertThat(left).isCompletedExceptionally();
    assertThat(waiting()).isZero();
    assertThat(tier.metrics.find("strandline.replay.failures").counter()).isNull();
  }

  /** It begins with a read in sequence, so that there is a place to lose. */
  @Test
  void whatCameTooLateIsThereForTheNextTryThoughOthersWait() {
    long next;
    try (ReplayRead first = ask("r", 3).join()) {
      next = first.nextOffset();
    }
    tier.replay.left("r");
    tier.store.hold();
    CompletableFuture<ReplayRead> late = tier.replay.read(tier.request(next, 1, "r"));
    assertThat(late.cancel(true)).isTrue();
    tier.store.release();
    hold(3);
    CompletableFuture<ReplayRead> waits = ask("waits", 6);
    assertThat(waits).isNotDone();
    int gets = tier.store.gets.size();
    try (ReplayRead again = tier.replay.read(tier.request(next, 1, "r")).join()) {
      tier.check(next, again);
    }
    assertThat(waits).isCompleted();
    assertThat(tier.store.gets).as("one for who waited").hasSize(gets + 1);
    check(waits, 6);
  }

  @Test
  void whatNobodyComesForGoesToThoseWhoWait() {
    tier.store.hold();
    assertThat(ask("r", 3).cancel(true)).isTrue();
    tier.store.release();
    hold(3);
    CompletableFuture<ReplayRead> waits = ask("waits", 6);
    assertThat(waits).isNotDone();
    tier.nanos.addAndGet(TOO_LATE_NANOS);
    tier.replay.dropIdle();
    check(waits, 6);
  }

  /** However much a reader asks for at once, it has not got all when the next one comes. */
  @Test
  void whoTakesNothingLeavesSomethingForTheNext() {
    List<CompletableFuture<ReplayRead>> greedy = new ArrayList<>();
    for (int segment = 0; segment < 8; segment++) {
      greedy.add(ask("greedy", segment));
    }
    assertThat(greedy.stream().filter(CompletableFuture::isDone)).hasSize(2);
    check(ask("modest", 5), 5);
    assertThat(waiting()).isZero();
    while (!greedy.isEmpty()) {
      CompletableFuture<ReplayRead> first = greedy.remove(0);
      check(first, 7 - greedy.size());
    }
  }

  @Test
  void whatOthersLongWaitForIsSaidToBeWanted() {
    hold(4);
    ReplayRead slow = held.get(0);
    assertThat(slow.wanted()).isFalse();
    CompletableFuture<ReplayRead> waits = ask("waits", 6);
    assertThat(slow.wanted()).isFalse();
    tier.nanos.addAndGet(6_000_000_000L);
    assertThat(slow.wanted()).isTrue();
    held.remove(3).close();
    check(waits, 6);
    assertThat(slow.wanted()).isFalse();
  }

  /** Its answers hold so many chunks that it may have one more, and could not with those behind. */
  @Test
  void whatLiesBehindAChunkThatHasNotComeIsNotCounted() {
    tier.close();
    tier = new TestTier(dir, 6, new SerialExecutor(), TestTier.small(6L * CHUNK), 32L * CHUNK);
    tier.segment(10 * CHUNK, 100);
    tier.segment(10 * CHUNK, 100);
    for (int chunk : new int[] {0, 2, 3, 4, 5}) {
      load(0, chunk);
    }
    load(1, 0);
    assertThat(tier.store.gets).noneMatch(get -> get.positionBytes() == CHUNK);
    tier.store.hold();
    held.add(tier.replay.read(tier.request(offset(0), 6 * CHUNK, "r")).join());
    assertThat(held.get(0).sizeBytes()).isLessThanOrEqualTo(CHUNK);
    tier.store.release();
    CompletableFuture<ReplayRead> next = ask("r", 1);
    assertThat(next).isCompleted();
    held.add(next.join());
  }

  /** What comes of a read in the middle of a chunk stays in the cache. */
  private void load(int segment, int chunk) {
    int at = 0;
    int batch = tier.batchAt(offset(segment));
    while (at < chunk * CHUNK + CHUNK / 2) {
      at += tier.origin.get(batch++).sizeBytes();
    }
    long offset = tier.origin.get(batch).baseOffset();
    tier.replay.read(tier.request(offset, 1, "loads")).join().close();
    tier.replay.left("loads");
  }
}

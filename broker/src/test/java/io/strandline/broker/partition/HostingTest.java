package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.replica.Alone;
import io.strandline.broker.replica.CalledFetchers;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What becomes of replicas when a step fails, or comes late. */
@Timeout(60)
class HostingTest {
  private static final TopicPartition FIRST = new TopicPartition(Rig.NAME, 0);
  private static final TopicPartition SECOND = new TopicPartition(Rig.NAME, 1);
  private static final long GRACE_MS = 300;

  @TempDir Path dir;
  private final FakeTier tier = new FakeTier();
  private final AtomicLong nowMs = new AtomicLong(1_000_000);

  private Rig rig() {
    Rig rig = new Rig();
    rig.tier = tier;
    rig.replicas = Alone.replicas(() -> Instant.ofEpochMilli(nowMs.get()));
    return rig;
  }

  /** The first word is held up until the second is through, if that can be. */
  @Test
  void aLeaderTiersThoughWordOfWhenItFollowedIsLate() throws Exception {
    CountDownLatch leaving = new CountDownLatch(1);
    CountDownLatch led = new CountDownLatch(1);
    try (Rig rig = rig()) {
      rig.start(dir);
      tier.onLeave =
          () -> {
            leaving.countDown();
            await(led);
          };
      Thread late = new Thread(() -> rig.follow(0));
      late.start();
      assertThat(leaving.await(10, TimeUnit.SECONDS)).isTrue();
      Partition partition = rig.lead(0);
      led.countDown();
      late.join();
      assertThat(partition.leads()).isTrue();
      assertThat(tier.joined).containsExactly(partition.id());
    }
  }

  @Test
  void aLeaderThatTheTierCouldNotTakeIsTakenLater() {
    try (Rig rig = rig()) {
      rig.start(dir);
      tier.onLead = failOnce(new IllegalStateException("not now"));
      Partition partition = lead(rig, 0);
      assertThat(tier.joined).isEmpty();
      untilLooked(() -> tier.joined.contains(partition.id()));
    }
  }

  /** A timer drops a task that throws once. */
  @Test
  void aLookAtTheReplicasThatFailsIsNotTheLast() {
    AtomicBoolean failed = new AtomicBoolean();
    try (Rig rig = rig()) {
      rig.replicas =
          Alone.replicas(
              () -> {
                if (tier.led.size() == 1 && failed.compareAndSet(false, true)) {
                  throw new IllegalStateException("no time");
                }
                return Instant.ofEpochMilli(nowMs.get());
              });
      rig.start(dir);
      lead(rig, 1);
      untilLooked(failed::get);
      tier.onLead = failOnce(new IllegalStateException("not now"));
      Partition partition = lead(rig, 0);
      assertThat(tier.joined).doesNotContain(partition.id());
      untilLooked(() -> tier.joined.contains(partition.id()));
    }
  }

  @Test
  void housekeepingGoesOnThoughItWasRefusedOnce() {
    AtomicBoolean refused = new AtomicBoolean();
    AtomicBoolean looked = new AtomicBoolean();
    try (Rig rig = rig()) {
      rig.writes =
          task -> {
            if (refused.compareAndSet(false, true)) {
              throw new RejectedExecutionException("full");
            }
            task.run();
          };
      rig.onLook = () -> looked.set(true);
      rig.start(dir);
      untilLooked(() -> refused.get() && looked.get());
    }
  }

  /** It is the owner of the replica who takes the role, on whichever thread. */
  @Test
  void aRoleThatItsOwnerCouldNotTakeIsTakenLater() {
    AtomicReference<Error> failure = new AtomicReference<>();
    AtomicInteger failed = new AtomicInteger();
    try (Rig rig = rig()) {
      rig.replicas =
          Alone.replicas(
              () -> {
                if (failure.get() != null && takesARole() && failed.incrementAndGet() <= 3) {
                  throw failure.get();
                }
                return Instant.ofEpochMilli(nowMs.get());
              });
      rig.start(dir);
      rig.follow(0);
      failure.set(new OutOfMemoryError("no memory"));
      Partition partition = rig.lead(0);
      assertThat(partition.leads()).isFalse();
      assertThat(tier.joined).isEmpty();
      untilLooked(partition::leads);
      assertThat(failed).hasValueGreaterThan(3);
      untilLooked(() -> tier.joined.contains(partition.id()));
    }
  }

  private static boolean takesARole() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames.anyMatch(
                    frame ->
                        frame.getClassName().equals(Leadership.class.getName())
                            && frame.getMethodName().equals("begin")));
  }

  /** As an executor says it that is full, or the JVM without memory for a thread. */
  @Test
  void anErrorWithOnePartitionDoesNotCostOthersTheirChangeAndItComesLater() {
    try (Rig rig = rig()) {
      rig.start(dir);
      lead(rig, 0);
      lead(rig, 1);
      rig.crash();
      rig.start(dir);
      tier.onMounted = failOnce(new OutOfMemoryError("no native thread"));
      rig.hearAll();
      assertThat(rig.partitions.all()).filteredOn(Partition::leads).hasSize(1);
      untilLooked(() -> rig.partitions.all().stream().filter(Partition::leads).count() == 2);
    }
  }

  @Test
  void aReplicaThatTheTierCannotLetGoInOrderIsInNobodysWay() {
    try (Rig rig = rig()) {
      rig.start(dir);
      Partition gone = lead(rig, 0);
      lead(rig, 1);
      tier.onLeave = failOnce(new IllegalStateException("not now"));
      rig.delete(0);
      assertThat(gone.leads()).isFalse();
      assertThat(rig.follow(0)).isNotSameAs(gone);
      assertThat(rig.partitions.hosted(SECOND)).isPresent();
    }
  }

  /** Its log stays until that is written down, and its name is free then. */
  @Test
  void nobodyWaitsForAReplicaWhoseDeletionTheTierCouldNotBeToldOf() {
    try (Rig rig = rig()) {
      rig.start(dir);
      Partition gone = lead(rig, 0);
      tier.onDelete = failOnce(new IllegalStateException("not now"));
      rig.delete(0);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      assertThat(gone.leads()).isFalse();
      assertThat(gone.log().path()).isDirectory();
      rig.announceFollower(0);
      assertThat(rig.partitions.settled()).isDone();
      assertThat(tier.deleted).isEmpty();
      untilLooked(() -> rig.partitions.hosted(FIRST).isPresent());
      assertThat(tier.deleted).containsExactly(gone.id());
    }
  }

  /** Here a producer hears of the end of leadership first, and the topic is deleted at that. */
  @Test
  void aReplicaThatHasLeftIsNotCopied() {
    CalledFetchers called = new CalledFetchers();
    Queue<Runnable> held = new ArrayDeque<>();
    AtomicReference<Executor> writes = new AtomicReference<>(Runnable::run);
    try (Rig rig = rig()) {
      rig.writes = task -> writes.get().execute(task);
      rig.replicas = Alone.replicas(called.fetchers, state -> true);
      rig.start(dir);
      rig.follow(0, 3);
      Partition partition = rig.lead(0, List.of(Rig.NODE, 2), List.of(Rig.NODE, 2));
      AtomicBoolean deleted = new AtomicBoolean();
      var unused =
          partition
              .append(rig.records("unacknowledged"), (short) -1)
              .acknowledged()
              .whenComplete(
                  (done, failure) -> {
                    writes.set(held::add);
                    rig.delete(0);
                    deleted.set(true);
                  });
      rig.announceFollower(0);
      assertThat(deleted).isTrue();
      assertThat(partition.role()).isInstanceOf(Role.Following.class);
      assertThat(called.askedOf(2)).isEmpty();
      writes.set(Runnable::run);
      held.forEach(Runnable::run);
    }
  }

  /** Its log is here already: it does not ask the tier for its end. */
  private static Partition lead(Rig rig, int partition) {
    rig.follow(partition);
    return rig.lead(partition);
  }

  private static Runnable failOnce(Throwable failure) {
    AtomicBoolean failed = new AtomicBoolean();
    return () -> {
      if (failed.compareAndSet(false, true)) {
        if (failure instanceof Error error) {
          throw error;
        }
        throw (RuntimeException) failure;
      }
    };
  }

  private interface Condition {
    boolean met();
  }

  /** More time passes than between two looks. */
  private void untilLooked(Condition condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(30);
    while (!condition.met()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      nowMs.addAndGet(60_000);
      LockSupport.parkNanos(5_000_000);
    }
  }

  private static void await(CountDownLatch other) {
    try {
      var unused = other.await(GRACE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

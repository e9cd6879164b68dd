package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.replica.Alone;
import io.strandline.broker.replica.CalledFetchers;
import io.strandline.broker.replica.FetchAnswer;
import io.strandline.broker.replica.FetchPosition;
import java.nio.file.Path;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Whom a replica is copied from. */
@Timeout(30)
class FollowingTest {
  private static final long GRACE_MS = 300;

  @TempDir Path dir;

  /**
   * A role is told of by whichever thread happened to be the partition's owner: here the first is
   * held up until the second is through, if that can be.
   */
  @Test
  void aReplicaFollowsItsNewestLeaderThoughWordOfTheFirstIsLate() throws Exception {
    CountDownLatch first = new CountDownLatch(1);
    CountDownLatch second = new CountDownLatch(1);
    CalledFetchers called = new CalledFetchers();
    try (Rig rig = new Rig()) {
      rig.replicas =
          Alone.replicas(
              called.fetchers,
              state -> {
                if (state.leader() == 2) {
                  first.countDown();
                  await(second);
                }
                return true;
              });
      rig.start(dir);
      Thread late = new Thread(() -> rig.follow(0, 2));
      late.start();
      assertThat(first.await(10, TimeUnit.SECONDS)).isTrue();
      Thread next =
          new Thread(
              () -> {
                rig.follow(0, 3);
                second.countDown();
              });
      next.start();
      late.join();
      next.join();
      Partition partition = rig.partitions.hosted(new TopicPartition(Rig.NAME, 0)).orElseThrow();
      assertThat(partition.role())
          .isInstanceOfSatisfying(
              Role.Following.class, role -> assertThat(role.state().leader()).isEqualTo(3));
      assertThat(called.askedOf(3)).containsExactly(partition.id());
      assertThat(called.askedOf(2)).isEmpty();
      rig.stop();
    }
  }

  @Test
  void aReplicaFollowsThoughNoConnectionCouldBeMadeAtFirst() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    followsLater(() -> refuseFirst(calls, new KafkaException("too many open files")), () -> {});
  }

  @Test
  void aReplicaFollowsThoughThereWasNoThreadAtFirst() throws Exception {
    AtomicInteger calls = new AtomicInteger();
    followsLater(() -> {}, () -> refuseFirst(calls, new OutOfMemoryError("no native thread")));
  }

  private void followsLater(Runnable onDial, Runnable onStart) throws Exception {
    AtomicLong nowMs = new AtomicLong(1_000_000);
    CalledFetchers called =
        new CalledFetchers(() -> Instant.ofEpochMilli(nowMs.get()), onDial, onStart);
    try (Rig rig = new Rig()) {
      rig.replicas = Alone.replicas(called.fetchers, state -> true);
      rig.start(dir);
      Partition first = rig.follow(0);
      assertThat(called.askedOf(2)).isEmpty();
      Partition second = rig.follow(1);
      assertThat(called.askedOf(2)).containsExactly(second.id());

      nowMs.addAndGet(60_000); // more than between two looks
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(10);
      while (called.askedOf(2).size() < 2 && System.nanoTime() < deadline) {
        Thread.onSpinWait();
      }
      assertThat(called.askedOf(2)).containsExactlyInAnyOrder(first.id(), second.id());
      rig.stop();
    }
  }

  private static void refuseFirst(AtomicInteger calls, Throwable failure) {
    if (calls.getAndIncrement() == 0) {
      if (failure instanceof Error error) {
        throw error;
      }
      throw (RuntimeException) failure;
    }
  }

  /** Copied, the history would be taken for records of its own by the broker that leads next. */
  @Test
  void aMountIsNotCopiedAndItsLeaderWaitsForNobody() {
    FakeTier tier = new FakeTier();
    tier.mounted = true;
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir);
      Partition mount = rig.follow(0);
      taken(mount, rig.records("of another cluster"), 5, 20);
      assertThat(mount.log().sizeBytes()).isZero();
      assertThat(mount.logStartOffset()).isEqualTo(5);
      assertThat(mount.logEndOffset()).isEqualTo(20);
      assertThat(mount.highWatermark()).isEqualTo(20);
      FetchPosition ahead = mount.follower().position(mount.leaderEpoch()).orElseThrow();
      mount.follower().outOfRange(ahead, 5, 15); // the next leader has not looked since
      assertThat(mount.logEndOffset()).isEqualTo(15);
      taken(mount, MemoryRecords.EMPTY, 7, 15);
      assertThat(mount.logStartOffset()).isEqualTo(7);

      rig.lead(0, List.of(2, Rig.NODE), List.of(2, Rig.NODE));
      assertThat(mount.role().readOnly()).isTrue();
      mount.step(() -> mount.log().truncateFullyAndStartAt(30, 7)).join();
      assertThat(mount.highWatermark()).as("its end, whoever follows").isEqualTo(30);
    }
  }

  private static void taken(Partition follower, MemoryRecords records, long start, long watermark) {
    FetchPosition asked = follower.follower().position(follower.leaderEpoch()).orElseThrow();
    follower
        .follower()
        .take(
            asked,
            new FetchAnswer(
                Errors.NONE, records, watermark, start, Optional.empty(), Optional.empty()));
  }

  private static void await(CountDownLatch other) {
    try {
      var unused = other.await(GRACE_MS, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }
}

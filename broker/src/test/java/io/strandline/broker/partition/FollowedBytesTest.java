package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.partition.space.DiskSpace.Room;
import io.strandline.broker.replica.FetchAnswer;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.TierMark;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What a disk that fills up takes from replicas that follow, of a disk of 1,000,000 bytes: high
 * watermark 100,000 free, low 150,000. Two replicas have five segments of one record each, four of
 * them sealed.
 */
@Timeout(60)
class FollowedBytesTest {
  private static final int SEGMENTS = 5;

  @TempDir Path dir;
  private final Rig rig = new Rig();
  private final FakeTier tier = new FakeTier();
  private Partition first;
  private Partition second;

  private void start(TierPolicy policy) {
    tier.begins = false;
    tier.policy = Optional.of(policy);
    rig.tier = tier;
    rig.start(dir);
    first = follower(0);
    second = follower(1);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private Partition follower(int number) {
    Partition follower = rig.follow(number);
    for (int i = 0; i < SEGMENTS; i++) {
      take(follower, rig.records("a record"), Optional.empty());
      if (i < SEGMENTS - 1) {
        follower.log().roll();
      }
    }
    return follower;
  }

  private static void take(Partition follower, MemoryRecords records, Optional<TierMark> mark) {
    FetchPosition asked = follower.follower().position(follower.leaderEpoch()).orElseThrow();
    if (records.sizeInBytes() > 0) {
      long next = asked.offset();
      records
          .batches()
          .forEach(
              batch -> {
                batch.setLastOffset(next + batch.lastOffset());
                batch.setPartitionLeaderEpoch(asked.leaderEpoch());
              });
    }
    follower
        .follower()
        .take(asked, new FetchAnswer(Errors.NONE, records, SEGMENTS, 0, Optional.empty(), mark));
  }

  private static void tieredTo(Partition follower, long end) {
    tieredTo(follower, end, 0);
  }

  private static void tieredTo(Partition follower, long end, long leadersLocalStart) {
    TierMark mark = new TierMark(1, end, leadersLocalStart);
    take(follower, MemoryRecords.EMPTY, Optional.of(mark));
  }

  private void look(long usableBytes) {
    rig.room = new Room(1_000_000, usableBytes);
  }

  private static void awaitLocalStart(Partition partition, long offset) {
    long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
    while (partition.localLogStartOffset() != offset) {
      assertThat(System.nanoTime()).as("local start %d", offset).isLessThan(deadline);
      LockSupport.parkNanos(1_000_000);
    }
  }

  @Test
  void allThatTheTierHasGoesFromAFullDiskAndNothingElse() {
    start(TierPolicy.keepAll());
    tieredTo(first, 3);
    look(30_000);
    awaitLocalStart(first, 3);
    assertThat(first.logStartOffset()).isZero();
    assertThat(second.localLogStartOffset()).as("its leader did not say").isZero();
    tieredTo(second, SEGMENTS);
    awaitLocalStart(second, SEGMENTS - 1); // the active one stays
  }

  /** Its high watermark was not written down since. */
  @Test
  void whatWasLetGoIsCommittedAfterACrashToo() {
    start(TierPolicy.keepAll());
    tieredTo(first, 3);
    look(30_000);
    awaitLocalStart(first, 3);
    rig.crash();
    rig.start(dir);
    Partition again = rig.partitions.hosted(first.id().topicPartition()).orElseThrow();
    assertThat(again.localLogStartOffset()).isEqualTo(3);
    assertThat(again.highWatermark()).isGreaterThanOrEqualTo(3);
  }

  /** Where the tier is given up, the log begins with what the leader has locally. */
  @Test
  void localRetentionTakesNoMoreThanTheLeaderHasLetGo() {
    start(new TierPolicy(-1, -1, -1, 0, false));
    tieredTo(first, 4, 0);
    tieredTo(second, 4, 2);
    rig.nowMs += 60_000;
    awaitLocalStart(second, 2);
    awaitLooks(2); // the round that freed this is over
    assertThat(first.localLogStartOffset()).isZero();
    tieredTo(first, 3, 4);
    rig.nowMs += 60_000;
    awaitLocalStart(first, 3);
  }

  /** Of a compacted topic the leader frees what was compacted in the tier, wanted or not. */
  @Test
  void ofACompactedTopicAllGoesThatTheLeaderHasLetGo() {
    rig.config.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
    start(new TierPolicy(-1, -1, -2, -2, false));
    tieredTo(first, 4, 0);
    tieredTo(second, 4, 2);
    rig.nowMs += 60_000;
    awaitLocalStart(second, 2);
    awaitLooks(2); // the round that freed this is over
    assertThat(first.localLogStartOffset()).isZero();
    tier.policy = Optional.of(new TierPolicy(-1, -1, -2, -2, false).with(Copying.OFF));
    tieredTo(first, 4, 3);
    rig.nowMs += 60_000;
    awaitLooks(3);
    assertThat(first.localLogStartOffset()).as("while nothing is copied").isZero();
  }

  @Test
  void aSegmentOfTheLargestReplicaGoesAtATimeUntilThereIsRoom() {
    start(TierPolicy.keepAll().with(Copying.OFF));
    tieredTo(first, SEGMENTS);
    tieredTo(second, SEGMENTS);
    look(99_999);
    awaitLooks(3);
    assertThat(first.localLogStartOffset()).as("not while nothing is copied up").isZero();
    assertThat(second.localLogStartOffset()).isZero();
    rig.onLook =
        () -> {
          long gone = first.localLogStartOffset() + second.localLogStartOffset();
          // What is going counts as free: a byte too few, or enough.
          look((gone < 2 ? 149_999 : 150_000) - first.log().directory().goingBytes());
        };
    awaitLooks(1);
    tier.policy = Optional.of(TierPolicy.keepAll());
    awaitLocalStart(first, 1);
    awaitLocalStart(second, 1);
    awaitLooks(2);
    assertThat(first.localLogStartOffset() + second.localLogStartOffset()).isEqualTo(2);
  }

  private void awaitLooks(int more) {
    CountDownLatch looks = new CountDownLatch(more);
    Runnable before = rig.onLook;
    rig.onLook =
        () -> {
          before.run();
          looks.countDown();
        };
    try {
      assertThat(looks.await(20, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
    rig.onLook = before;
  }
}

package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.FencedLeaderEpochException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.UnknownLeaderEpochException;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class LeadershipTest {
  private static final short ALL = -1;
  private static final short LEADER = 1;

  @TempDir Path dir;
  private final Rig rig = new Rig();

  @BeforeEach
  void start() {
    rig.start(dir);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void aloneEverythingIsBelowTheHighWatermarkAtOnce() {
    Partition partition = rig.lead(0);
    PendingAppend pending = partition.append(rig.records("a", "b"), ALL);
    assertThat(pending.acknowledged().join().lastOffset()).isEqualTo(1);
    assertThat(partition.highWatermark()).isEqualTo(2);
    assertThat(partition.lastStableOffset()).isEqualTo(2);
  }

  @Test
  void allReplicasInSyncHoldWhatIsAcknowledged() {
    Partition partition = rig.lead(0, List.of(1, 2, 3), List.of(1, 2, 3));
    PendingAppend first = partition.append(rig.records("a", "b"), ALL);
    PendingAppend second = partition.append(rig.records("c"), ALL);
    assertThat(first.written()).isCompleted();
    assertThat(first.acknowledged()).isNotDone();
    int epoch = partition.leaderEpoch();

    rig.followerFetched(partition, 2, epoch, 3);
    assertThat(partition.highWatermark()).isZero();
    rig.followerFetched(partition, 3, epoch, 2);
    assertThat(partition.highWatermark()).isEqualTo(2);
    assertThat(first.acknowledged()).isCompleted();
    assertThat(second.acknowledged()).isNotDone();

    rig.isr(0, 1, 2);
    assertThat(second.acknowledged()).as("the one that lags left the ISR").isCompleted();
    assertThat(partition.highWatermark()).isEqualTo(3);
  }

  @Test
  void whatAFollowerSaidInAnEarlierEpochDoesNotCount() {
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1, 2));
    int before = partition.leaderEpoch();
    rig.lead(0, List.of(1, 2), List.of(1, 2));
    partition.append(rig.records("a"), LEADER);
    rig.followerFetched(partition, 2, before, 1);
    assertThat(partition.highWatermark()).isZero();
    rig.followerFetched(partition, 2, partition.leaderEpoch(), 1);
    assertThat(partition.highWatermark()).isEqualTo(1);
  }

  @Test
  void acksAllIsRefusedBelowMinInsyncReplicasAndWritesNothing() {
    rig.config.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "2");
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1));
    PendingAppend refused = partition.append(rig.records("a"), ALL);
    assertFailed(refused.written(), NotEnoughReplicasException.class);
    assertFailed(refused.acknowledged(), NotEnoughReplicasException.class);
    assertThat(partition.logEndOffset()).isZero();
    assertThat(partition.append(rig.records("a"), LEADER).acknowledged()).isCompleted();
  }

  @Test
  void minInsyncReplicasIsBoundByTheReplicasThereAre() {
    rig.config.put(TopicConfig.MIN_IN_SYNC_REPLICAS_CONFIG, "3");
    Partition partition = rig.lead(0);
    assertThat(partition.append(rig.records("a"), ALL).acknowledged()).isCompleted();
  }

  @Test
  void theEndOfLeadershipFailsThoseWhoWait() {
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1, 2));
    PendingAppend waits = partition.append(rig.records("a"), ALL);
    rig.follow(0);
    assertFailed(waits.acknowledged(), NotLeaderOrFollowerException.class);
    assertFailed(
        partition.append(rig.records("b"), LEADER).written(), NotLeaderOrFollowerException.class);
    assertThatThrownBy(() -> partition.appendNow(rig.records("b"), coordinators(-1)))
        .isInstanceOf(NotLeaderOrFollowerException.class);
    assertThatThrownBy(() -> read(partition, 0, OptionalInt.empty()))
        .isInstanceOf(NotLeaderOrFollowerException.class);
  }

  @Test
  void aFailedDirectoryFailsThoseWhoWaitAndThoseWhoCome() {
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1, 2));
    PendingAppend waits = partition.append(rig.records("a"), ALL);
    partition.goOffline(partition.log().directory(), () -> {});
    assertFailed(waits.acknowledged(), KafkaStorageException.class);
    assertFailed(partition.append(rig.records("b"), LEADER).written(), KafkaStorageException.class);
    assertThatThrownBy(() -> read(partition, 0, OptionalInt.empty()))
        .isInstanceOf(KafkaStorageException.class);
    rig.lead(0);
    assertThat(partition.leads()).as("for good").isFalse();
  }

  @Test
  void readersOfAnotherEpochAreTold() {
    Partition partition = rig.lead(0);
    int epoch = partition.leaderEpoch();
    assertThatThrownBy(() -> read(partition, 0, OptionalInt.of(epoch - 1)))
        .isInstanceOf(FencedLeaderEpochException.class);
    assertThatThrownBy(() -> read(partition, 0, OptionalInt.of(epoch + 1)))
        .isInstanceOf(UnknownLeaderEpochException.class);
    assertThat(read(partition, 0, OptionalInt.of(epoch))).isInstanceOf(PartitionRead.Hot.class);
  }

  @Test
  void readersSeeNothingAtOrAboveTheHighWatermark() {
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1, 2));
    partition.append(rig.records("a"), LEADER);
    partition.append(rig.records("b"), LEADER);
    rig.followerFetched(partition, 2, partition.leaderEpoch(), 1);
    assertThat(end(partition, 0, FetchIsolation.HIGH_WATERMARK)).isEqualTo(1);
    assertThat(end(partition, 0, FetchIsolation.LOG_END)).isEqualTo(2);
    assertThat(end(partition, 2, FetchIsolation.HIGH_WATERMARK)).as("empty").isEqualTo(2);
    assertThatThrownBy(() -> read(partition, 3, OptionalInt.empty()))
        .isInstanceOf(OffsetOutOfRangeException.class);
  }

  @Test
  void coordinatorsOfAnotherEpochAreRefused() {
    Partition partition = rig.lead(0);
    int epoch = partition.leaderEpoch();
    assertThat(partition.appendNow(rig.records("a"), coordinators(epoch)).lastOffset()).isZero();
    assertThatThrownBy(() -> partition.appendNow(rig.records("b"), coordinators(epoch - 1)))
        .isInstanceOf(NotLeaderOrFollowerException.class);
  }

  @Test
  void listenersHearOneTenureInOrderAndMayAppend() {
    Partition partition = rig.lead(0);
    List<Long> heard = new ArrayList<>();
    assertThat(partition.listen(heard::add)).isTrue();
    partition.append(rig.records("a"), ALL);
    HighWatermarkListener appends =
        mark -> {
          if (mark == 2) {
            partition.appendNow(rig.records("c"), coordinators(-1));
          }
        };
    partition.listen(appends);
    partition.append(rig.records("b"), ALL);
    partition.append(rig.records("d"), ALL);
    assertThat(heard).isSorted().startsWith(1L, 2L).endsWith(4L);

    rig.follow(0);
    assertThat(partition.listen(heard::add)).as("no leader").isFalse();
    rig.lead(0);
    partition.append(rig.records("e"), ALL);
    assertThat(heard).as("of an earlier tenure").endsWith(4L);
  }

  @Test
  void recordsAreDeletedUpToTheHighWatermarkAndNoFurther() {
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1, 2));
    for (String value : List.of("a", "b", "c")) {
      partition.append(rig.records(value), LEADER);
    }
    rig.followerFetched(partition, 2, partition.leaderEpoch(), 2);
    assertFailed(partition.deleteRecords(3), OffsetOutOfRangeException.class);
    assertThat(partition.deleteRecords(1).join()).isEqualTo(1);
    assertThat(partition.deleteRecords(-1).join()).isEqualTo(2);
    assertThatThrownBy(() -> read(partition, 1, OptionalInt.empty()))
        .isInstanceOf(OffsetOutOfRangeException.class);
  }

  @Test
  void whoNoLongerWaitsForRecordsToBeDeletedIsForgotten() {
    Leadership.StartWaits waits = new Leadership.StartWaits();
    CompletableFuture<Long> patient = new CompletableFuture<>();
    waits.add(1, patient);
    for (int i = 0; i < 1_000; i++) {
      CompletableFuture<Long> timedOut = new CompletableFuture<>();
      waits.add(2, timedOut);
      timedOut.cancel(false);
    }
    assertThat(waits.size()).isEqualTo(2);
    waits.reached(1, Runnable::run);
    assertThat(patient).isCompletedWithValue(1L);
    assertThat(waits.isEmpty()).isFalse();
  }

  /** A fetch session passes over what has not changed, and would not tell of the follower. */
  @Test
  void aFollowerThatWasPutOutAndFetchesOthersIsMadeToFetchAQuietPartition() throws Exception {
    Partition partition = rig.lead(0, List.of(1, 2), List.of(1, 2));
    rig.followerFetched(partition, 2, partition.leaderEpoch(), 0);
    rig.isr(0, 1);
    CountDownLatch told = new CountDownLatch(1);
    partition.watch((source, wakes) -> told.countDown());
    partition.reviewFollowers();
    assertThat(told.getCount()).as("its broker fetches nothing").isOne();
    rig.nowMs += 500;
    assertThat(rig.replicas.times().fetched(2)).isEqualTo(rig.nowMs);
    partition.reviewFollowers();
    assertThat(told.await(30, TimeUnit.SECONDS)).as("the timer may have been first").isTrue();
  }

  private static AppendTerms coordinators(int epoch) {
    return AppendTerms.of(epoch, AppendOrigin.COORDINATOR);
  }

  private static PartitionRead read(Partition partition, long offset, OptionalInt epoch) {
    return partition.read(
        new ReadRequest(offset, 1 << 20, true, epoch, FetchIsolation.HIGH_WATERMARK, "r"));
  }

  private static long end(Partition partition, long offset, FetchIsolation isolation) {
    PartitionRead read =
        partition.read(new ReadRequest(offset, 1 << 20, true, OptionalInt.empty(), isolation, "r"));
    try (var hot = ((PartitionRead.Hot) read).read()) {
      return hot.nextOffset();
    }
  }

  private static void assertFailed(
      CompletableFuture<?> future, Class<? extends Throwable> expected) {
    assertThat(future).isCompletedExceptionally();
    assertThatThrownBy(future::join).hasCauseInstanceOf(expected);
  }
}

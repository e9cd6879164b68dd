package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.LogDirectory;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a node finds when it starts again, and what it makes of it. */
class RestartTest {
  private static final TopicPartition FIRST = new TopicPartition(Rig.NAME, 0);

  @TempDir Path dir;
  private final Rig rig = new Rig();

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void theHighWatermarkOutlivesACleanStop() {
    rig.start(dir);
    Partition before = rig.lead(0, List.of(1, 2), List.of(1, 2));
    before.append(rig.records("a", "b", "c"), (short) 1);
    before.append(rig.records("d"), (short) 1);
    rig.followerFetched(before, 2, before.leaderEpoch(), 3);
    rig.stop();

    rig.start(dir);
    Partition after = rig.partitions.hosted(FIRST).orElseThrow();
    assertThat(after.logEndOffset()).isEqualTo(4);
    assertThat(after.highWatermark()).isEqualTo(3);
    assertThatThrownBy(() -> rig.partitions.leaderOrThrow(FIRST))
        .as("the metadata has not spoken")
        .isInstanceOf(NotLeaderOrFollowerException.class);
    rig.hearAll();
    assertThat(rig.partitions.leaderOrThrow(FIRST).highWatermark()).isEqualTo(3);
  }

  /** All of an internal topic's log would be fetched, again and again, and not be taken up. */
  @Test
  void aDamagedLogIsNotFetchedFromTheTierAndClientsAreToldOfTheDisk() throws Exception {
    FakeTier tier = new FakeTier();
    rig.tier = tier;
    rig.start(dir);
    assertThat(rig.announceNew(0, 0)).isPresent();
    rig.stop();
    Path log = dir.resolve(FIRST.toString()).resolve("00000000000000000000.log");
    try (RandomAccessFile sparse = new RandomAccessFile(log.toFile(), "rw")) {
      sparse.setLength(1L << 31);
    }
    rig.start(dir);
    rig.hearAll();
    assertThat(rig.partitions.refilling(FIRST)).as("nobody has given it up").isTrue();
    assertThat(tier.asked).isEmpty();
    assertThatThrownBy(() -> rig.partitions.leaderOrThrow(FIRST))
        .isInstanceOf(KafkaStorageException.class);
  }

  /** The clock was ahead by a day when the last round wrote them. */
  @Test
  void highWatermarksAreWrittenThoughTheClockIsSetBack() throws Exception {
    PartitionSettings defaults = PartitionSettings.defaults();
    rig.settings =
        new PartitionSettings(
            defaults.inlineBytes(),
            1,
            5_000,
            5_000,
            defaults.cleanMs(),
            0,
            defaults.cleaner(),
            1,
            defaults.moveBytesPerSecond(),
            defaults.tiers());
    Path marks = dir.resolve("replication-offset-checkpoint");
    rig.start(dir);
    Partition partition = rig.lead(0);
    CountDownLatch written = new CountDownLatch(1);
    CountDownLatch again = new CountDownLatch(1);
    rig.onRename =
        to -> {
          if (to.equals(marks)) {
            (partition.highWatermark() == 0 ? written : again).countDown();
          }
        };
    rig.nowMs += 10_000;
    assertThat(written.await(30, TimeUnit.SECONDS)).isTrue();
    partition.append(rig.records("a"), (short) -1).acknowledged().join();
    rig.nowMs -= 86_400_000;
    assertThat(again.await(30, TimeUnit.SECONDS)).isTrue();
  }

  @Test
  void aDiskThatFailsAtTheStopLeavesTheOthersCleanlyStopped() throws Exception {
    rig.start(dir.resolve("a"), dir.resolve("b"), dir.resolve("c"));
    List<Path> all = rig.partitions.home().directories().stream().map(LogDirectory::path).toList();
    Files.move(all.get(0), dir.resolve("gone"));
    assertThatThrownBy(rig::stop).isInstanceOf(KafkaStorageException.class);
    assertThat(all.get(1).resolve(".kafka_cleanshutdown")).exists();
    assertThat(all.get(2).resolve(".kafka_cleanshutdown")).exists();
  }

  @Test
  void aLeaderAloneTakesUpWhereItsLogEndsAfterACrash() {
    rig.start(dir);
    rig.lead(0).append(rig.records("a", "b"), (short) -1).acknowledged().join();
    rig.crash();
    rig.start(dir);
    rig.hearAll();
    assertThat(rig.partitions.leaderOrThrow(FIRST).highWatermark()).isEqualTo(2);
  }

  @Test
  void whatWasDeletedMeanwhileGoesAndWhatWasNotStays() {
    rig.start(dir);
    rig.lead(0);
    rig.lead(1);
    rig.stop();
    rig.states.remove(FIRST);
    rig.start(dir);
    rig.hearAll();
    assertThat(rig.partitions.hosted(FIRST)).isEmpty();
    assertThat(rig.partitions.hosted(new TopicPartition(Rig.NAME, 1))).isPresent();
    assertThat(dir.resolve("orders-0")).doesNotExist();
    assertThat(dir.resolve("orders-1")).exists();
    assertThatThrownBy(() -> rig.partitions.leaderOrThrow(FIRST))
        .isInstanceOf(UnknownTopicOrPartitionException.class);
  }

  /** The metadata says nothing of an override that is not there. */
  @Test
  void anOverrideThatGoesWhileLogsAreOpenedIsNotInForce() {
    rig.config.put(TopicConfig.RETENTION_MS_CONFIG, "1000");
    rig.start(dir);
    rig.lead(0);
    rig.stop();
    rig.start(dir);
    Partition partition = rig.partitions.hosted(FIRST).orElseThrow();
    assertThat(partition.config().retentionMs).isEqualTo(1000);
    rig.config.remove(TopicConfig.RETENTION_MS_CONFIG);
    rig.hearAll();
    assertThat(partition.config().retentionMs).isGreaterThan(1000);
  }

  @Test
  void aClusterThatKnowsNoTopicDeletesNothing() {
    rig.start(dir);
    rig.lead(0);
    rig.stop();
    rig.states.clear();
    rig.start(dir);
    rig.hearAll();
    assertThat(dir.resolve("orders-0")).exists();
  }

  @Test
  void aDeletedPartitionMayComeBackEmpty() {
    rig.start(dir);
    Partition old = rig.lead(0);
    old.append(rig.records("a"), (short) 1);
    rig.delete(0);
    assertThat(rig.partitions.hosted(FIRST)).isEmpty();
    assertThat(old.append(rig.records("b"), (short) 1).written()).isCompletedExceptionally();
    assertThat(rig.lead(0).logEndOffset()).isZero();
  }

  @Test
  void replicasAreSpreadAndTheControllerHearsWhereTheyAre() {
    rig.start(dir.resolve("a"), dir.resolve("b"));
    Partition assigned = rig.lead(0);
    assertThat(assigned.log().directory().path()).isEqualTo(dir.resolve("a"));
    assertThat(rig.assigned).as("it lies where the controller put it").isEmpty();
    rig.stop();
    // The second directory comes first now: the replica is where it was, and that is reported.
    rig.start(dir.resolve("b"), dir.resolve("a"));
    rig.hearAll();
    assertThat(rig.partitions.leaderOrThrow(FIRST).log().directory().path())
        .isEqualTo(dir.resolve("a"));
  }
}

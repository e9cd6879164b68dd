package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.space.DiskSpace.Room;
import io.strandline.broker.partition.space.SpaceConfig;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Of a disk of 1,000,000 bytes: high watermark 100,000 free, low 150,000, reserve 20,000. */
class DiskSpaceTest {
  @TempDir Path dir;
  private final Rig rig = new Rig();
  private Partition partition;
  private LogDirectory directory;

  @BeforeEach
  void start() {
    rig.start(dir);
    partition = rig.lead(0);
    directory = partition.log().directory();
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private long look(long usableBytes) {
    rig.room = new Room(1_000_000, usableBytes);
    return rig.space.look(directory);
  }

  private CompletableFuture<?> append() {
    return partition.append(rig.records("a record of some bytes"), (short) -1).written();
  }

  @Test
  void localBytesGoBetweenTheWatermarks() {
    assertThat(look(100_000)).isZero();
    assertThat(look(99_999)).isEqualTo(50_001);
    assertThat(look(149_999)).as("until the low one is content").isEqualTo(1);
    assertThat(look(150_000)).isZero();
    assertThat(look(100_000)).isZero();
    assertThat(append()).isCompleted();
  }

  @Test
  void whatIsAboutToBeDeletedCountsAsFree() {
    partition.log().roll();
    append().join();
    long bytes = partition.log().sizeBytes();
    partition.log().roll();
    partition.log().advanceLogStart(partition.logEndOffset());
    assertThat(directory.goingBytes()).isEqualTo(bytes);
    assertThat(look(99_999)).isEqualTo(bytes >= 1 ? 0 : -1);
  }

  @Test
  void producersWaitWhileOnlyTheReserveIsLeft() {
    look(19_999);
    assertThat(rig.space.full()).contains(dir.toString());
    assertThat(append())
        .isCompletedExceptionally()
        .failsWithin(java.time.Duration.ZERO)
        .withThrowableThat()
        .withCauseInstanceOf(KafkaStorageException.class)
        .withCauseInstanceOf(RetriableException.class);
    assertThat(partition.leads()).isTrue();
    assertThat(directory.online()).isTrue();
    look(39_999);
    assertThat(append()).isCompletedExceptionally();
    look(40_000);
    assertThat(append()).isCompleted();
    assertThat(rig.space.full()).isEmpty();
    assertThat(partition.logEndOffset()).isEqualTo(1);
  }

  @Test
  void internalTopicsMayUseTheReserve() {
    look(0);
    PartitionLog offsets =
        directory.create(
            new TopicIdPartition(new Uuid(9, 9), 0, "__consumer_offsets"),
            new LogConfig(rig.config));
    rig.space.admit(offsets);
    assertThatThrownBy(() -> rig.space.admit(partition.log()))
        .isInstanceOf(KafkaStorageException.class);
  }

  @Test
  void aFastWriterMeetsTheReserveBetweenTwoLooks() {
    look(20_050);
    assertThat(append()).isCompleted();
    assertThat(append()).isCompletedExceptionally();
    look(20_050);
    assertThat(append()).isCompleted();
  }

  @Test
  void limitsAreUsedPartsOrFreeBytes() {
    SpaceConfig config = SpaceConfig.of("85%", "4000", "off");
    assertThat(config.high().freeBytes(1_000_000)).isEqualTo(150_000);
    assertThat(config.low().freeBytes(1_000_000)).isEqualTo(4_000);
    assertThat(config.reserve().freeBytes(1_000_000)).isZero();
    SpaceConfig large = SpaceConfig.of("", "", "");
    assertThat(large.reserve().freeBytes(8L << 40)).isEqualTo(1L << 30);
    ConfigDef table = new ConfigDef();
    SpaceConfig.define(table);
    for (String wrong : new String[] {"x", "0%", "101%", "-1", "5 GiB"}) {
      assertThatThrownBy(() -> table.parse(java.util.Map.of(SpaceConfig.HIGH, wrong)))
          .as(wrong)
          .isInstanceOfAny(ConfigException.class, IllegalArgumentException.class);
    }
  }
}

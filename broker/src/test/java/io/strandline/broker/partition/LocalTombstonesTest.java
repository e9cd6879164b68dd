package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.replica.FetchAnswer;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.TierMark;
import io.strandline.tiering.compact.CompactionConfig;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A log that is compacted where it lies: a value at offset 0, its tombstone at 1, whose time is
 * over at once. The tier may hold the value.
 */
@Timeout(60)
class LocalTombstonesTest {
  @TempDir Path dir;
  private final Rig rig = new Rig();
  private final FakeTier tier = new FakeTier();
  private Partition partition;

  @BeforeEach
  void start() {
    tier.holds = false;
    rig.tier = tier;
    rig.config.put(TopicConfig.CLEANUP_POLICY_CONFIG, TopicConfig.CLEANUP_POLICY_COMPACT);
    rig.config.put(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "0.01");
    rig.config.put(TopicConfig.DELETE_RETENTION_MS_CONFIG, "0");
    PartitionSettings all = PartitionSettings.defaults();
    rig.settings =
        new PartitionSettings(
            all.inlineBytes(),
            10,
            all.highWatermarkMs(),
            all.retentionMs(),
            () -> 0,
            all.internalBackupMs(),
            CompactionConfig::defaults,
            all.moveThreads(),
            all.moveBytesPerSecond(),
            all.tiers());
    rig.start(dir);
    partition = rig.follow(0);
    put("key", "value");
    put("key", null);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  private void put(String key, String value) {
    byte[] bytes = value == null ? null : value.getBytes(StandardCharsets.UTF_8);
    take(
        MemoryRecords.withRecords(
            Compression.NONE,
            new SimpleRecord(rig.nowMs, key.getBytes(StandardCharsets.UTF_8), bytes)),
        Optional.empty());
    partition.log().roll();
  }

  private void tieredTo(long end) {
    take(MemoryRecords.EMPTY, Optional.of(new TierMark(1, end, 0)));
  }

  private void take(MemoryRecords records, Optional<TierMark> mark) {
    FetchPosition asked = partition.follower().position(partition.leaderEpoch()).orElseThrow();
    records
        .batches()
        .forEach(
            batch -> {
              batch.setLastOffset(asked.offset());
              batch.setPartitionLeaderEpoch(asked.leaderEpoch());
            });
    partition
        .follower()
        .take(
            asked,
            new FetchAnswer(Errors.NONE, records, asked.offset() + 1, 0, Optional.empty(), mark));
  }

  /** One gives the tombstone its time, which is over for the next. */
  private void threeRounds() {
    for (int round = 0; round < 3; round++) {
      put("other", "round " + round);
      PartitionLog log = partition.log();
      long end = log.activeSegmentBaseOffset();
      long deadline = System.nanoTime() + Duration.ofSeconds(20).toNanos();
      while (log.cleanable().cleanedOffset() < end) {
        assertThat(System.nanoTime()).as("compacted to %d", end).isLessThan(deadline);
        LockSupport.parkNanos(1_000_000);
      }
    }
  }

  private boolean hasTombstone() {
    PartitionLog log = partition.log();
    long offset = 0;
    while (offset < log.logEndOffset()) {
      try (LogRead read = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (read.isEmpty()) {
          return false;
        }
        for (Record record : read.toMemory().records()) {
          assertThat(record.offset()).as("the value").isPositive();
          if (!record.hasValue()) {
            return true;
          }
        }
        offset = read.nextOffset();
      }
    }
    return false;
  }

  @Test
  void aTombstoneStaysWhileNobodyHasSaidWhatTheTierHolds() {
    threeRounds();
    assertThat(hasTombstone()).isTrue();
  }

  @Test
  void aTombstoneStaysThatTheTierLacksAndGoesOnceTheTierHasIt() {
    tieredTo(1);
    threeRounds();
    assertThat(hasTombstone()).isTrue();
    tieredTo(2);
    threeRounds();
    assertThat(hasTombstone()).isFalse();
  }

  @Test
  void aTombstoneGoesWhereTheTierHoldsNothing() {
    tieredTo(0);
    threeRounds();
    assertThat(hasTombstone()).isFalse();
  }
}

package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AppendAndReadTest {
  private final Logs logs;

  AppendAndReadTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
  }

  @Test
  void recordsGetDenseOffsetsAndComeBack() {
    PartitionLog log = logs.create();
    Appended first = logs.append(log, "a", "b");
    Appended second = logs.append(log, "c");

    assertThat(first.firstOffset()).isZero();
    assertThat(first.lastOffset()).isEqualTo(1);
    assertThat(second.firstOffset()).isEqualTo(2);
    assertThat(log.logEndOffset()).isEqualTo(3);
    assertThat(Logs.read(log, 0)).containsExactly("0=a", "1=b", "2=c");
    assertThat(Logs.read(log, 1)).containsExactly("1=b", "2=c");
    assertThat(log.read(3, 100, 3, true).isEmpty()).isTrue();
    assertThatThrownBy(() -> log.read(4, 100, 3, true))
        .isInstanceOf(OffsetOutOfRangeException.class);
  }

  @ParameterizedTest
  @EnumSource(CompressionType.class)
  void everyCodecIsKeptAndNumberedInPlace(CompressionType codec) {
    PartitionLog log = logs.create();
    logs.append(log, "before");
    logs.append(log, Compression.of(codec).build(), 3, "x".repeat(2000), "y");

    try (LogRead read = log.read(1, 1 << 20, log.logEndOffset(), true)) {
      RecordBatch batch = read.toMemory().batches().iterator().next();
      assertThat(batch.compressionType()).isEqualTo(codec);
      assertThat(batch.baseOffset()).isEqualTo(1);
      assertThat(batch.partitionLeaderEpoch()).isEqualTo(3);
      batch.ensureValid();
    }
    assertThat(Logs.read(log, 2)).containsExactly("2=y");
  }

  @Test
  void aReadIsWholeBatchesWithinBytesAndBound() {
    PartitionLog log = logs.create();
    int size = logs.append(log, "a").sizeBytes();
    for (int i = 1; i < 10; i++) {
      logs.append(log, "a");
    }
    try (LogRead read = log.read(2, 3 * size + 5, 10, true)) {
      assertThat(read.sizeBytes()).isEqualTo(3 * size);
      assertThat(read.nextOffset()).isEqualTo(5);
    }
    try (LogRead read = log.read(2, 1 << 20, 4, true)) {
      assertThat(read.sizeBytes()).isEqualTo(2 * size);
      assertThat(read.nextOffset()).isEqualTo(4);
    }
    try (LogRead read = log.read(2, 5, 10, true)) {
      assertThat(read.sizeBytes()).isEqualTo(size);
    }
    try (LogRead read = log.read(2, 5, 10, false)) {
      assertThat(read.isEmpty()).isTrue();
      assertThat(read.nextOffset()).isEqualTo(2);
    }
  }

  @Test
  void aSegmentRollsBySizeAndReadsCrossIt() {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    assertThat(log.segmentCount()).isGreaterThan(3);
    assertThat(Logs.read(log, 0)).hasSize(20).contains("13=value13");
    assertThat(log.sealedSegments(0, log.logEndOffset(), 100)).hasSize(log.segmentCount() - 1);
    assertThat(log.recoveryPoint()).isEqualTo(log.activeSegmentBaseOffset());
  }

  @Test
  void damagedAndMisshapenBatchesAreRefusedAndLeaveNoTrace() {
    PartitionLog log = logs.create();
    MemoryRecords damaged = logs.records(Compression.NONE, "a");
    damaged.buffer().put(damaged.sizeInBytes() - 2, (byte) 99);
    assertThatThrownBy(() -> log.appendAsLeader(damaged, 0, AppendOrigin.CLIENT, logs.nowMs))
        .isInstanceOf(CorruptRecordException.class);

    MemoryRecords offset =
        MemoryRecords.withRecords(5L, Compression.NONE, new SimpleRecord(Logs.bytes("a")));
    assertThatThrownBy(() -> log.appendAsLeader(offset, 0, AppendOrigin.CLIENT, logs.nowMs))
        .isInstanceOf(InvalidRecordException.class);

    ByteBuffer two = ByteBuffer.allocate(1000);
    two.put(logs.records(Compression.NONE, "a").buffer());
    two.put(logs.records(Compression.NONE, "b").buffer());
    MemoryRecords several = MemoryRecords.readableRecords(two.flip());
    assertThatThrownBy(() -> log.appendAsLeader(several, 0, AppendOrigin.CLIENT, logs.nowMs))
        .isInstanceOf(InvalidRecordException.class);
    assertThat(log.logEndOffset()).isZero();
    assertThat(log.sizeBytes()).isZero();
  }

  @Test
  void tooLargeABatchIsRefused() {
    logs.with(TopicConfig.MAX_MESSAGE_BYTES_CONFIG, 200);
    PartitionLog log = logs.create();
    assertThatThrownBy(() -> logs.append(log, "x".repeat(300)))
        .isInstanceOf(RecordTooLargeException.class);
  }

  @Test
  void timestampsOutsideTheTopicsLimitsAreRefusedAsKafkaDoes() {
    logs.with(TopicConfig.MESSAGE_TIMESTAMP_AFTER_MAX_MS_CONFIG, 1000);
    PartitionLog log = logs.create();
    MemoryRecords late =
        MemoryRecords.withRecords(
            Compression.NONE, new SimpleRecord(logs.nowMs + 1001, Logs.bytes("a")));
    assertThatThrownBy(() -> log.appendAsLeader(late, 0, AppendOrigin.CLIENT, logs.nowMs))
        .isInstanceOf(RecordValidationException.class);
  }

  @ParameterizedTest
  @EnumSource(
      value = CompressionType.class,
      names = {"NONE", "ZSTD"})
  void logAppendTimeReplacesTheClientsWithoutDecompression(CompressionType codec) {
    logs.with(TopicConfig.MESSAGE_TIMESTAMP_TYPE_CONFIG, "LogAppendTime");
    PartitionLog log = logs.create();
    logs.nowMs += 77;
    Appended appended = logs.append(log, Compression.of(codec).build(), 0, "a", "b");
    assertThat(appended.logAppendTimeMs()).isEqualTo(logs.nowMs);
    try (LogRead read = log.read(0, 1 << 20, 2, true)) {
      RecordBatch batch = read.toMemory().batches().iterator().next();
      batch.ensureValid();
      assertThat(batch.timestampType()).isEqualTo(TimestampType.LOG_APPEND_TIME);
      assertThat(batch.maxTimestamp()).isEqualTo(logs.nowMs);
    }
  }

  @Test
  void aTopicsCodecIsAppliedBySlowPath() {
    logs.with(TopicConfig.COMPRESSION_TYPE_CONFIG, "zstd");
    PartitionLog log = logs.create();
    logs.append(log, Compression.NONE, 0, "a", "b");
    try (LogRead read = log.read(0, 1 << 20, 2, true)) {
      assertThat(read.toMemory().batches().iterator().next().compressionType())
          .isEqualTo(CompressionType.ZSTD);
    }
    assertThat(Logs.read(log, 0)).containsExactly("0=a", "1=b");
  }

  @Test
  void aCompactedTopicWantsKeys() {
    logs.with(TopicConfig.CLEANUP_POLICY_CONFIG, "compact");
    PartitionLog log = logs.create();
    MemoryRecords keyless =
        MemoryRecords.withRecords(Compression.NONE, new SimpleRecord(Logs.bytes("a")));
    assertThatThrownBy(() -> log.appendAsLeader(keyless, 0, AppendOrigin.CLIENT, logs.nowMs))
        .isInstanceOf(RecordValidationException.class);
    logs.append(log, "a");
    assertThat(log.logEndOffset()).isEqualTo(1);
  }

  @Test
  void timeFindsTheFirstRecordThatReachesIt() {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    long begin = logs.nowMs;
    for (int i = 0; i < 30; i++) {
      logs.nowMs = begin + i * 10L;
      logs.append(log, "v" + i);
    }
    assertThat(log.firstReaching(begin + 105, 30))
        .get()
        .satisfies(
            found -> {
              assertThat(found.offset()).isEqualTo(11);
              assertThat(found.timestampMs()).isEqualTo(begin + 110);
            });
    assertThat(log.firstReaching(begin + 110, 11)).isEmpty();
    assertThat(log.firstReaching(begin + 291, 30)).isEmpty();
    assertThat(log.maxTimestamp(Long.MAX_VALUE).map(PartitionLog.TimedOffset::offset))
        .isEqualTo(Optional.of(29L));
  }

  @Test
  void inlineIsWhatNeitherDecompressesNorRolls() {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    MemoryRecords records = logs.records(Compression.NONE, "a");
    assertThat(log.appendsInline(records, 1, logs.nowMs)).as("new epoch is an fsync").isFalse();
    logs.append(log, Compression.NONE, 1, "a");
    assertThat(log.appendsInline(records, 1, logs.nowMs)).isTrue();
    assertThat(log.appendsInline(logs.records(Compression.NONE, "x".repeat(230)), 1, logs.nowMs))
        .as("rolls")
        .isFalse();
  }

  @Test
  void anAppendThatIsToBeFlushedIsNotInline() {
    logs.with(TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, 100);
    PartitionLog log = logs.create();
    String[] sixty = new String[60];
    Arrays.fill(sixty, "v");
    logs.append(log, Compression.NONE, 1, sixty);
    assertThat(log.recoveryPoint()).isZero();
    String[] some = Arrays.copyOf(sixty, 39);
    assertThat(log.appendsInline(logs.records(Compression.NONE, some), 1, logs.nowMs)).isTrue();
    assertThat(log.appendsInline(logs.records(Compression.NONE, sixty), 1, logs.nowMs)).isFalse();
    logs.append(log, Compression.NONE, 1, sixty);
    assertThat(log.recoveryPoint()).isEqualTo(120);
  }
}

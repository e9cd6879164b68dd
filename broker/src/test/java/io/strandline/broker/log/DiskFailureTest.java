package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DiskFailureTest {
  private final Logs logs;
  private final FailingDisk disk = new FailingDisk();

  DiskFailureTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
    logs.disk = disk;
  }

  @ParameterizedTest
  @ValueSource(longs = {0, 1, 60, 70})
  void aFullDiskTakesTheDirectoryOfflineAndLosesNothingAcknowledged(long freeBytes) {
    PartitionLog log = logs.create();
    List<LogDirectory> told = new ArrayList<>();
    log.directory().onFailure(told::add);
    logs.append(log, "a");
    logs.append(log, "b");
    disk.freeBytes = freeBytes;
    assertThatThrownBy(() -> logs.append(log, "c")).isInstanceOf(KafkaStorageException.class);
    assertThat(log.directory().online()).isFalse();
    assertThat(told).containsExactly(log.directory());
    assertThat(log.logEndOffset()).isEqualTo(2);

    disk.freeBytes = Long.MAX_VALUE;
    assertThatThrownBy(() -> logs.append(log, "d")).isInstanceOf(KafkaStorageException.class);
    assertThatThrownBy(() -> log.read(0, 100, 2, true)).isInstanceOf(KafkaStorageException.class);
    assertThatThrownBy(() -> log.directory().close(9)).isInstanceOf(KafkaStorageException.class);

    PartitionLog again = logs.reopen();
    assertThat(again.directory().previousBrokerEpoch()).isEmpty();
    assertThat(Logs.read(again, 0)).containsExactly("0=a", "1=b");
  }

  @Test
  void aFailedForceIsNoAcknowledgement() {
    logs.with(TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, 1);
    PartitionLog log = logs.create();
    logs.append(log, "a");
    assertThat(log.recoveryPoint()).isEqualTo(1);
    disk.forceFails = true;
    assertThatThrownBy(() -> logs.append(log, "b")).isInstanceOf(KafkaStorageException.class);
    assertThat(log.directory().online()).isFalse();
    assertThat(log.recoveryPoint()).isEqualTo(1);
  }

  @Test
  void flushFollowsTheClockToo() {
    logs.with(TopicConfig.FLUSH_MS_CONFIG, 500);
    PartitionLog log = logs.create();
    logs.append(log, "a");
    log.directory().maintain(logs.nowMs + 499);
    assertThat(log.recoveryPoint()).isZero();
    logs.nowMs += 500;
    log.directory().maintain(logs.nowMs);
    assertThat(log.recoveryPoint()).isEqualTo(1);
  }

  @Test
  void flushIsDueThoughTheClockIsSetBack() {
    logs.with(TopicConfig.FLUSH_MS_CONFIG, 500);
    PartitionLog log = logs.create();
    logs.append(log, "a");
    logs.nowMs -= 86_400_000;
    log.directory().maintain(logs.nowMs);
    assertThat(log.recoveryPoint()).isEqualTo(1);
  }

  @Test
  void anIdleSegmentIsRolledByAge() {
    logs.with(TopicConfig.SEGMENT_MS_CONFIG, 1000);
    PartitionLog log = logs.create();
    logs.nowMs += 5000;
    logs.append(log, "a");
    log.directory().maintain(logs.nowMs + 1000);
    assertThat(log.segmentCount()).isEqualTo(1);
    log.directory().maintain(logs.nowMs + 1001);
    assertThat(log.sealedSegments(0, 1, 9)).hasSize(1);
    log.directory().maintain(logs.nowMs + 9999);
    assertThat(log.segmentCount()).as("empty ones stay").isEqualTo(2);
  }
}

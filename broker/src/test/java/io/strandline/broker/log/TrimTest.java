package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.UnexpectedAppendOffsetException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class TrimTest {
  private final Logs logs;

  TrimTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(300);
  }

  private PartitionLog filled() {
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, Compression.NONE, i / 7, "value" + i);
    }
    return log;
  }

  @Test
  void aCutAtAnyOffsetLeavesWhatIsBelow() {
    for (int offset = 20; offset >= 0; offset--) {
      PartitionLog log = offset == 20 ? filled() : logs.reopen();
      log.truncateTo(offset);
      assertThat(log.logEndOffset()).isEqualTo(offset);
      assertThat(Logs.read(log, 0)).hasSize(offset);
      assertThat(log.epochs()).hasSize(Math.min(3, (offset + 6) / 7));
      log = logs.crash(log);
      assertThat(log.logEndOffset()).as("after a crash").isEqualTo(offset);
      log.directory().close(1);
    }
  }

  @Test
  void appendsGoOnAfterACut() {
    PartitionLog log = filled();
    log.truncateTo(11);
    logs.append(log, Compression.NONE, 9, "new");
    assertThat(Logs.read(log, 10)).containsExactly("10=value10", "11=new");
    assertThat(log.endOffsetForEpoch(1)).hasValue(new PartitionLog.EpochEnd(1, 11));
    assertThat(log.endOffsetForEpoch(9)).hasValue(new PartitionLog.EpochEnd(9, 12));
    assertThat(Logs.read(logs.crash(log), 10)).containsExactly("10=value10", "11=new");
  }

  /** A hole before the next segment would look like lost bytes to recovery. */
  @Test
  void aCutWithinABatchLeavesNoHoleThatARecoveryCouldMistake() {
    PartitionLog log = filled();
    logs.append(log, Compression.NONE, 9, "a", "b", "c"); // 20 to 22
    log.truncateTo(21);
    assertThat(log.logEndOffset()).isEqualTo(20);
    log.roll();
    logs.append(log, Compression.NONE, 10, "new");
    log = logs.crash(log);
    assertThat(log.logEndOffset()).isEqualTo(21);
    assertThat(Logs.read(log, 19)).containsExactly("19=value19", "20=new");
  }

  @Test
  void aCutWithinTheBatchThatHoldsTheLogStartBeginsThereAnew() {
    PartitionLog log = filled();
    logs.append(log, Compression.NONE, 9, "a", "b", "c"); // 20 to 22
    log.advanceLogStart(21);
    log.truncateTo(22);
    assertThat(log.logStartOffset()).isEqualTo(21);
    assertThat(log.logEndOffset()).isEqualTo(21);
    logs.append(log, Compression.NONE, 10, "new");
    assertThat(Logs.read(logs.crash(log), 21)).containsExactly("21=new");
  }

  @Test
  void aReadUnderWayOutlivesDeletion() {
    PartitionLog log = filled();
    try (LogRead read = log.read(0, 200, 20, true)) {
      log.truncateFullyAndStartAt(100, 100);
      logs.scheduler.runAll();
      assertThat(read.toMemory().records()).isNotEmpty();
    }
    assertThat(log.logStartOffset()).isEqualTo(100);
    logs.append(log, "x");
    log = logs.crash(log);
    assertThat(Logs.read(log, 100)).containsExactly("100=x");
    assertThat(log.logStartOffset()).isEqualTo(100);
  }

  @Test
  void aFollowerMayStartWhereTheTierEnds() {
    PartitionLog log = filled();
    log.truncateFullyAndStartAt(500, 3);
    assertThat(log.logStartOffset()).isEqualTo(3);
    assertThat(log.localLogStartOffset()).isEqualTo(500);
    log = logs.crash(log);
    assertThat(log.logStartOffset()).isEqualTo(3);
    assertThat(log.localLogStartOffset()).isEqualTo(500);
    assertThat(log.logEndOffset()).isEqualTo(500);
  }

  @Test
  void theLogStartMovesAndSegmentsBelowItGo() {
    PartitionLog log = filled();
    log.advanceLogStart(10);
    assertThat(log.logStartOffset()).isEqualTo(10);
    assertThat(log.localLogStartOffset()).isEqualTo(10);
    assertThatThrownBy(() -> log.read(9, 100, 20, true))
        .isInstanceOf(OffsetOutOfRangeException.class);
    assertThatThrownBy(() -> log.advanceLogStart(21)).isInstanceOf(OffsetOutOfRangeException.class);
    assertThat(Logs.read(log, 10)).hasSize(10);
    PartitionLog again = logs.crash(log);
    assertThat(again.logStartOffset()).isEqualTo(10);
  }

  @Test
  void localRetentionLeavesTheStartOfWhatTheTierHolds() {
    PartitionLog log = filled();
    log.truncateFullyAndStartAt(800, 0);
    logs.append(log, "fresh");
    log.deleteExpired(logs.nowMs, 801);
    assertThat(log.localLogStartOffset()).isEqualTo(800);
    assertThat(log.logStartOffset()).as("history in the tier stays readable").isZero();
  }

  @Test
  void retentionDeletesByTimeAndBySize() throws IOException {
    logs.with(TopicConfig.RETENTION_MS_CONFIG, 1000);
    PartitionLog log = filled();
    assertThat(log.deleteExpired(logs.nowMs, 20)).isZero();
    logs.nowMs += 2000;
    logs.append(log, "fresh");
    log.roll();
    assertThat(log.deleteExpired(logs.nowMs, 5)).as("not above the limit").isEqualTo(1);
    log.deleteExpired(logs.nowMs, 21);
    assertThat(Logs.read(log, log.logStartOffset())).contains("20=fresh").hasSizeLessThan(4);

    logs.with(TopicConfig.RETENTION_MS_CONFIG, -1).with(TopicConfig.RETENTION_BYTES_CONFIG, 0);
    log.reconfigure(logs.logConfig());
    log.deleteExpired(logs.nowMs, 21);
    assertThat(log.segmentCount()).isEqualTo(1);
    logs.scheduler.runAll();
    try (var files = Files.list(log.path())) {
      assertThat(files.filter(f -> f.toString().endsWith(".deleted"))).isEmpty();
    }
  }

  /** What goes for its age makes the log smaller, too. */
  @Test
  void retentionByTimeAndBySizeTogetherDeletesNoMoreThanEitherAsksFor() {
    PartitionLog log = logs.create();
    int size = 0;
    for (int i = 0; i < 10; i++) {
      logs.nowMs += i == 4 ? 2000 : 0; // four are old
      size = logs.append(log, "value" + i).sizeBytes();
      log.roll();
    }
    logs.with(TopicConfig.RETENTION_MS_CONFIG, 1000)
        .with(TopicConfig.RETENTION_BYTES_CONFIG, 6 * size);
    log.reconfigure(logs.logConfig());
    assertThat(log.deleteExpired(logs.nowMs, 10)).isEqualTo(4);
    assertThat(log.deleteExpired(logs.nowMs, 10)).isZero();
    assertThat(Logs.read(log, 4)).hasSize(6);

    logs.with(TopicConfig.RETENTION_BYTES_CONFIG, 3 * size);
    log.reconfigure(logs.logConfig());
    logs.nowMs -= 1;
    assertThat(log.deleteExpired(logs.nowMs, 10)).as("by size alone").isEqualTo(3);
  }

  /** As in Kafka: closed now, deleted with the next turn. */
  @Test
  void whenAllHasExpiredTheActiveSegmentGoesToo() {
    logs.with(TopicConfig.RETENTION_MS_CONFIG, 1000);
    PartitionLog log = filled();
    int segments = log.segmentCount();
    logs.nowMs += 2000;
    assertThat(log.deleteExpired(logs.nowMs, 20)).isEqualTo(segments - 1);
    assertThat(log.segmentCount()).isEqualTo(2);
    assertThat(log.deleteExpired(logs.nowMs, 20)).isEqualTo(1);
    assertThat(log.logStartOffset()).isEqualTo(20);
    assertThat(log.sizeBytes()).isZero();
    assertThat(log.deleteExpired(logs.nowMs, 20)).isZero();
    assertThat(log.segmentCount()).isEqualTo(1);
  }

  @Test
  void whileOlderRecordsAreInTheTierTheActiveSegmentIsOnlyClosed() {
    logs.with(TopicConfig.RETENTION_MS_CONFIG, 1000);
    PartitionLog log = filled();
    log.truncateFullyAndStartAt(800, 0);
    logs.append(log, "fresh");
    assertThat(log.deleteExpired(logs.nowMs, 801)).isZero();
    assertThat(log.segmentCount()).isEqualTo(1);
    logs.nowMs += 2000;
    assertThat(log.deleteExpired(logs.nowMs, 801)).isZero();
    assertThat(log.segmentCount()).as("so that it can go up, or expire").isEqualTo(2);
    assertThat(log.logStartOffset()).isZero();
  }

  @Test
  void aFollowerTakesWhatItsLeaderNumbered() {
    PartitionLog leader = filled();
    MemoryRecords batches;
    try (LogRead read = leader.read(0, 1 << 20, 20, true)) {
      batches = read.toMemory();
    }
    Logs others = new Logs(logs.path.resolveSibling("other"));
    PartitionLog follower = others.create();
    Appended appended = follower.appendAsFollower(batches, 0);
    List<String> expected = Logs.read(leader, 0).subList(0, (int) appended.lastOffset() + 1);
    assertThat(Logs.read(follower, 0)).isEqualTo(expected);
    assertThatThrownBy(() -> follower.appendAsFollower(batches, 0))
        .isInstanceOf(UnexpectedAppendOffsetException.class);
  }

  @Test
  void filesThatNobodyReadsAreClosedAndOpenAgain() {
    PartitionLog log = filled();
    List<String> all = Logs.read(log, 0);
    try (LogRead read = log.read(0, 200, 20, true)) {
      log.directory().maintain(logs.nowMs);
      log.directory().maintain(logs.nowMs);
      assertThat(read.channel().isOpen()).as("held").isTrue();
    }
    LogRead past = log.read(0, 200, 20, true);
    past.close();
    log.directory().maintain(logs.nowMs);
    log.directory().maintain(logs.nowMs);
    assertThat(past.channel().isOpen()).isFalse();
    assertThat(Logs.read(log, 0)).isEqualTo(all);
    assertThat(log.firstReaching(logs.nowMs, 20)).isPresent();
    assertThat(log.sealedSegments(0, 20, 100)).hasSize(log.segmentCount() - 1);
  }

  @Test
  void aDeletedLogsDirectoryGoesLater() {
    PartitionLog log = filled();
    LogDirectory directory = log.directory();
    directory.delete(log);
    assertThat(logs.path.resolve("orders-0")).doesNotExist();
    assertThat(logs.path.toFile().list((d, n) -> n.endsWith("-delete"))).hasSize(1);
    PartitionLog again = directory.create(Logs.TP, logs.logConfig());
    assertThat(again.logEndOffset()).isZero();
    logs.scheduler.runAll();
    assertThat(logs.path.toFile().list((d, n) -> n.endsWith("-delete"))).isEmpty();
  }

  @Test
  void aStartWithinABatchThatIsNotForcedMakesNothingDurable() {
    PartitionLog log = logs.create();
    logs.append(log, "a", "b", "c");
    log.advanceLogStart(2);
    assertThat(log.recoveryPoint()).isZero();
    log = logs.crash(log);
    assertThat(log.logStartOffset()).isLessThanOrEqualTo(2);
    assertThat(Logs.read(log, 2)).containsExactly("2=c");
  }
}

package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.log.segment.LogFiles;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.compress.Compression;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RecoveryTest {
  private final Logs logs;

  RecoveryTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
  }

  @Test
  void everythingIsThereAfterACleanStop() {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, Compression.NONE, i / 7, "value" + i);
    }
    List<String> before = Logs.read(log, 0);
    log = logs.restart(log);
    assertThat(Logs.read(log, 0)).isEqualTo(before);
    assertThat(log.recoveryPoint()).isEqualTo(20);
    assertThat(log.epochs()).extracting(e -> e.startOffset()).containsExactly(0L, 7L, 14L);
    assertThat(log.directory().previousBrokerEpoch()).hasValue(5);
    logs.append(log, "more");
    assertThat(Logs.read(log, 20)).containsExactly("20=more");
    assertThat(logs.crash(log).directory().previousBrokerEpoch()).isEmpty();
  }

  /** Ten thousand logs may roll in one moment, before anybody keeps house. */
  @Test
  void aSealedSegmentKeepsNoFileOpenThatNobodyReads() {
    FailingDisk disk = new FailingDisk();
    logs.disk = disk;
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 40; i++) {
      logs.append(log, "value" + i);
    }
    assertThat(log.activeSegmentBaseOffset()).isGreaterThan(20);
    assertThat(disk.openFiles).as("the active segment's").hasSize(1);
    assertThat(Logs.read(log, 0)).hasSize(40);
  }

  /** Ten thousand logs that nobody reads must not need thirty thousand open files. */
  @Test
  void aLogThatWasOpenedHoldsNoFileOpenUntilItIsUsed() {
    FailingDisk disk = new FailingDisk();
    logs.disk = disk;
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    log = logs.restart(log);
    assertThat(disk.openFiles).as("after a clean stop").isEmpty();
    logs.append(log, "more");
    assertThat(Logs.read(log, 0)).hasSize(21);
    assertThat(log.firstReaching(logs.nowMs, 20)).isPresent();
    log = logs.crash(log);
    assertThat(disk.openFiles).as("after a crash").isEmpty();
    logs.append(log, "still more");
    assertThat(Logs.read(log, 20)).containsExactly("20=more", "21=still more");
    log.directory().close(6);
    assertThat(disk.openFiles).as("after the end").isEmpty();
  }

  /** It was durable, and is read for its producers alone, without its checksum. */
  @Test
  void aLogWithAHeaderThatCannotBeIsRefusedAndTheOthersOpen() throws IOException {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    LogDirectory directory = log.directory();
    TopicIdPartition next = new TopicIdPartition(Logs.TP.topicId(), 1, Logs.TP.topic());
    PartitionLog other = directory.create(next, logs.logConfig());
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
      logs.append(other, "value" + i);
    }
    directory.close(5);
    for (Path file : new NioDisk().list(log.path())) {
      if (LogFiles.is(file, LogFiles.SNAPSHOT)) {
        Files.delete(file);
      }
    }
    try (var file = new RandomAccessFile(first(log).toFile(), "rw")) {
      file.seek(8); // a batch's length
      file.writeInt(0);
    }
    LogDirectory again = logs.directory();
    assertThat(again.openAll(topic -> logs.logConfig())).containsOnlyKeys(next);
    assertThat(again.unreadable()).containsOnlyKeys(Logs.TP);
    assertThat(again.online()).isTrue();
  }

  private static Path first(PartitionLog log) {
    return LogFiles.of(log.path(), 0, LogFiles.LOG);
  }

  @Test
  void aSegmentBeyondPositionsOf32BitsIsRefusedByItsSize() throws IOException {
    PartitionLog log = logs.create();
    logs.append(log, "a");
    Path file = log.path().resolve("00000000000000000000.log");
    log.directory().close(5);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(1L << 31);
    }
    LogDirectory directory = logs.directory();
    assertThat(directory.openAll(topic -> logs.logConfig())).isEmpty();
    assertThat(directory.unreadable().get(Logs.TP))
        .hasMessageContaining("has 2147483648 bytes")
        .hasMessageContaining("end at 2147483647");
    assertThat(directory.online()).isTrue();
    directory.close();
    assertThat(Files.size(file)).isEqualTo(1L << 31);
  }

  @Test
  void everythingInThePageCacheIsThereAfterACrash() {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, Compression.NONE, i / 7, "value" + i);
    }
    List<String> before = Logs.read(log, 0);
    log = logs.crash(log);
    assertThat(Logs.read(log, 0)).isEqualTo(before);
    assertThat(log.epochs()).extracting(e -> e.startOffset()).containsExactly(0L, 7L, 14L);
    assertThat(log.firstReaching(logs.nowMs, 20)).isPresent();
  }

  @Test
  void aLogCutAtAnyByteOfItsLastBatchesKeepsTheWholeOnes() throws IOException {
    PartitionLog log = logs.create();
    int size = logs.append(log, "aa").sizeBytes();
    logs.append(log, "bb");
    logs.append(log, "cc");
    Path file = log.path().resolve("00000000000000000000.log");
    log.directory().close();
    byte[] whole = Files.readAllBytes(file);
    for (int cut = 3 * size; cut >= size; cut--) {
      Files.write(file, java.util.Arrays.copyOf(whole, cut));
      PartitionLog recovered = logs.reopen();
      assertThat(recovered.logEndOffset()).as("cut at %d", cut).isEqualTo(cut / size);
      assertThat(Files.size(file)).isEqualTo((long) cut / size * size);
      recovered.directory().close();
    }
  }

  @Test
  void aFlippedByteInTheTailEndsTheLogThere() throws IOException {
    PartitionLog log = logs.create();
    int size = logs.append(log, "aa").sizeBytes();
    logs.append(log, "bb");
    logs.append(log, "cc");
    Path file = log.path().resolve("00000000000000000000.log");
    log.directory().close();
    flip(file, size + 70);
    log = logs.reopen();
    assertThat(Logs.read(log, 0)).containsExactly("0=aa");
    logs.append(log, "dd");
    assertThat(Logs.read(logs.crash(log), 0)).containsExactly("0=aa", "1=dd");
  }

  @Test
  void lostIndexesAreRebuilt() throws IOException {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    List<String> before = Logs.read(log, 0);
    Path dir = log.path();
    log.directory().close(1);
    try (var files = Files.list(dir)) {
      for (Path file : files.filter(f -> f.toString().endsWith("index")).toList()) {
        Files.delete(file);
      }
    }
    log = logs.reopen();
    assertThat(Logs.read(log, 0)).isEqualTo(before);
    assertThat(log.sealedSegments(0, 20, 100)).hasSize(log.segmentCount() - 1);
    assertThat(dir.resolve("00000000000000000000.index")).exists();
  }

  @Test
  void damageBelowTheRecoveryPointRefusesTheLogAndTouchesNothing() throws IOException {
    logs.segmentBytes(300);
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    Path dir = log.path();
    log.directory().close(1);
    flip(dir.resolve("00000000000000000000.log"), 80);
    Files.delete(dir.resolve("00000000000000000000.index"));
    try (LogDirectory directory = logs.directory()) {
      assertThat(directory.openAll(topic -> logs.logConfig())).isEmpty();
      assertThat(directory.unreadable()).containsKey(Logs.TP);
      assertThat(directory.online()).isTrue();
    }
    try (var files = Files.list(dir)) {
      assertThat(files.filter(f -> f.toString().endsWith(".log"))).hasSizeGreaterThan(3);
    }
  }

  /** A power cut may keep the younger of two segments that were not sealed yet. */
  @Test
  void theLogEndsBeforeTheSegmentThatLostAllItsBytes() throws IOException {
    logs.segmentBytes(300);
    logs.executor = never -> {};
    PartitionLog log = logs.create();
    List<Path> files = new ArrayList<>();
    List<Long> bases = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
      if (!bases.contains(log.activeSegmentBaseOffset())) {
        bases.add(log.activeSegmentBaseOffset());
        files.add(log.path().resolve("%020d.log".formatted(log.activeSegmentBaseOffset())));
      }
    }
    List<String> before = Logs.read(log, 0);
    log.directory().close();
    Files.write(files.get(2), new byte[0]);
    logs.executor = Runnable::run;
    log = logs.reopen();
    assertThat(log.logEndOffset()).isEqualTo(bases.get(2));
    assertThat(Logs.read(log, 0)).isEqualTo(before.subList(0, bases.get(2).intValue()));
    assertThat(files.get(3)).doesNotExist();
  }

  @Test
  void aSecondProcessIsKeptOut() {
    PartitionLog log = logs.create();
    assertThatThrownBy(logs::directory).hasMessageContaining("in use");
    log.directory().close();
    logs.directory().close();
  }

  private static void flip(Path file, long position) throws IOException {
    try (RandomAccessFile access = new RandomAccessFile(file.toFile(), "rw")) {
      access.seek(position);
      int old = access.read();
      access.seek(position);
      access.write(old ^ 0x55);
    }
  }
}

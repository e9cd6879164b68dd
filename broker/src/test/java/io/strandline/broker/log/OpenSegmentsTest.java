package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.EOFException;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** How many files sealed segments keep open, whoever reads them. */
class OpenSegmentsTest {
  private static final int MAX = 3;
  private static final int FILES_OF_A_SEGMENT = 3;

  private final Logs logs;
  private final FailingDisk disk = new FailingDisk();

  OpenSegmentsTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(300);
    logs.disk = disk;
    LogSettings all = LogSettings.defaults();
    logs.settings =
        new LogSettings(
            all.producers(),
            all.producerCheckMs(),
            all.transactionMaxTimeoutMs(),
            all.walkRecords(),
            all.strictValidation(),
            all.hotWindowBytes(),
            MAX,
            all.bounds());
  }

  private PartitionLog filled(int records) {
    PartitionLog log = logs.create();
    for (int i = 0; i < records; i++) {
      logs.append(log, "value" + i);
    }
    return log;
  }

  @Test
  void aReaderOfAllHistoryLeavesFewFilesOpen() {
    PartitionLog log = logs.restart(filled(200));
    assertThat(log.segmentCount()).isGreaterThan(10 * MAX);
    assertThat(Logs.read(log, 0)).hasSize(200);
    assertThat(log.firstReaching(Long.MAX_VALUE, 200)).isEmpty();
    assertThat(disk.openFiles).hasSizeLessThanOrEqualTo(MAX * FILES_OF_A_SEGMENT + 1);
    assertThat(Logs.read(log, 0)).hasSize(200);
    log.directory().close(5);
    assertThat(disk.openFiles).isEmpty();
  }

  @Test
  void whatIsInUseStaysOpenHoweverMuchItIs() {
    PartitionLog log = filled(60);
    List<LogRead> held = new ArrayList<>();
    for (long offset = 0; offset < 50; ) {
      LogRead read = log.read(offset, 1 << 20, 60, true);
      held.add(read);
      offset = read.nextOffset();
    }
    assertThat(held).hasSizeGreaterThan(2 * MAX);
    List<String> values = new ArrayList<>();
    for (LogRead read : held) {
      read.toMemory().records().forEach(record -> values.add(Logs.text(record.value())));
      read.close();
    }
    assertThat(values).startsWith("value0", "value1").hasSizeGreaterThanOrEqualTo(50);
    assertThat(Logs.read(log, 0)).hasSize(60);
    assertThat(disk.openFiles).hasSizeLessThanOrEqualTo(MAX * FILES_OF_A_SEGMENT + 1);
  }

  @Test
  void noSegmentIsRolledForItsAgeWhileSealsLag() {
    Queue<Runnable> seals = new ArrayDeque<>();
    logs.executor = seals::add;
    logs.segmentBytes(100_000).with(TopicConfig.SEGMENT_MS_CONFIG, 1);
    PartitionLog log = logs.create();
    for (int i = 0; i < 5 * MAX; i++) {
      logs.nowMs += 10;
      logs.append(log, "value" + i);
      log.directory().maintain(logs.nowMs);
    }
    assertThat(log.segmentCount()).isEqualTo(MAX + 1);
    while (!seals.isEmpty()) {
      seals.remove().run();
    }
    logs.nowMs += 10;
    logs.append(log, "later");
    assertThat(log.segmentCount()).isEqualTo(MAX + 2);
    assertThat(Logs.read(log, 0)).hasSize(5 * MAX + 1);
  }

  @Test
  void nobodyWaitsForTheSealsOfADirectoryThatFailed(@TempDir Path elsewhere) {
    Queue<Runnable> seals = new ArrayDeque<>();
    logs.executor = seals::add;
    logs.segmentBytes(100_000).with(TopicConfig.SEGMENT_MS_CONFIG, 1000);
    LogRuntime runtime = logs.runtime();
    LogDirectory failing = LogDirectory.open(logs.path, runtime);
    LogDirectory sound = LogDirectory.open(elsewhere.resolve("d"), runtime);
    PartitionLog lost = failing.create(Logs.TP, logs.logConfig());
    PartitionLog log = sound.create(Logs.TP, logs.logConfig());
    for (int i = 0; i < MAX; i++) {
      logs.append(lost, "value" + i);
      lost.roll();
    }
    logs.append(log, "value");
    logs.nowMs += 5000;
    sound.maintain(logs.nowMs);
    assertThat(log.segmentCount()).as("seals lag").isEqualTo(1);

    disk.freeBytes = 0;
    assertThatThrownBy(() -> logs.append(lost, "more")).isInstanceOf(KafkaStorageException.class);
    disk.freeBytes = Long.MAX_VALUE;
    while (!seals.isEmpty()) {
      seals.remove().run();
    }
    sound.maintain(logs.nowMs);
    assertThat(log.segmentCount()).isEqualTo(2);
  }

  /** Closing needs no lock of the log that it strikes: each step here is under another one. */
  @Test
  void readersTruncationRetentionAndHousekeepingDoNotMeetAClosedFile() throws Exception {
    PartitionLog log = filled(300);
    AtomicBoolean over = new AtomicBoolean();
    ExecutorService threads = Executors.newFixedThreadPool(4);
    try {
      List<Future<?>> readers = new ArrayList<>();
      for (int i = 0; i < 3; i++) {
        Random random = new Random(i);
        readers.add(threads.submit(until(over, () -> readSomewhere(log, random))));
      }
      readers.add(threads.submit(until(over, () -> log.maintain(logs.nowMs, false))));
      Random random = new Random(9);
      for (int i = 0; i < 200; i++) {
        logs.append(log, "value" + log.logEndOffset());
        if (i % 10 == 0) {
          log.truncateTo(log.logEndOffset() - random.nextInt(15));
        }
        if (i % 25 == 0) {
          log.advanceLogStart(log.logStartOffset() + random.nextInt(8));
          logs.scheduler.runAll();
        }
        log.flush();
      }
      over.set(true);
      for (Future<?> reader : readers) {
        reader.get();
      }
    } finally {
      over.set(true);
      threads.shutdown();
    }
    assertThat(log.directory().online()).isTrue();
    log.directory().close(5);
    assertThat(disk.openFiles).isEmpty();
  }

  private static Callable<Boolean> until(AtomicBoolean over, Runnable step) {
    return () -> {
      while (!over.get()) {
        step.run();
      }
      return true;
    };
  }

  private static void readSomewhere(PartitionLog log, Random random) {
    long start = log.logStartOffset();
    long end = log.logEndOffset();
    long offset = start + random.nextInt((int) Math.max(1, end - start));
    try (LogRead read = log.read(offset, 400, end, true)) {
      if (!read.isEmpty()) {
        read.toMemory()
            .records()
            .forEach(r -> assertThat(Logs.text(r.value())).isEqualTo("value" + r.offset()));
      }
      var unused = log.firstReaching(random.nextInt(300), end);
    } catch (OffsetOutOfRangeException e) {
      // The log was cut, or its start moved, since we asked where it is.
    } catch (CorruptRecordException e) {
      // It was cut under our eyes: no consumer reads what may be cut off.
    } catch (KafkaStorageException e) {
      assertThat(e).as("cut likewise").hasCauseInstanceOf(EOFException.class);
    }
  }
}

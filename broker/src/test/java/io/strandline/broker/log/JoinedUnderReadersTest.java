package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.PartitionLog.TimedOffset;
import io.strandline.broker.log.clean.LocalCleaner;
import io.strandline.broker.log.clean.LocalCleaner.Reach;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.segment.BatchBounds;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import org.apache.kafka.common.config.TopicConfig;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Segments that a cleaner joins while somebody reads them. */
class JoinedUnderReadersTest {
  private static final int END = 60;

  private final Logs logs;
  private final FailingDisk disk = new FailingDisk();
  private final LocalCleaner cleaner;

  JoinedUnderReadersTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(300);
    logs.with(TopicConfig.CLEANUP_POLICY_CONFIG, "compact");
    logs.with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "0");
    logs.disk = disk;
    cleaner =
        new LocalCleaner(
            () -> new CompactionConfig(1 << 20, 0.9, 64 << 10, 1 << 20, BatchBounds.defaults()),
            () -> Instant.ofEpochMilli(logs.nowMs),
            new SimpleMeterRegistry());
  }

  /** Segments of three batches, and each batch a key of its own: all of them stay. */
  private PartitionLog filled() {
    PartitionLog log = logs.create();
    for (int i = 0; i < END; i++) {
      logs.nowMs++;
      logs.append(log, "value" + i);
    }
    assertThat(log.segmentCount()).isGreaterThan(10);
    return log;
  }

  private void join(PartitionLog log) {
    int before = log.segmentCount();
    log.reconfigure(logs.segmentBytes(1500).logConfig());
    assertThat(cleaner.cleanDirtiest(List.of(log), l -> new Reach(l.logEndOffset(), 0))).isTrue();
    assertThat(log.segmentCount()).isLessThan(before - 5);
  }

  /** Runs it when the copy of the first segments stands in the log, and before a file goes. */
  private void whileJoining(PartitionLog log, Runnable look) {
    disk.approached = ".log" + ".deleted";
    disk.onApproach = look;
    join(log);
    assertThat(disk.onApproach).isNull();
  }

  @Test
  void aReadFindsTheNextRecordAtEveryStep() {
    PartitionLog log = filled();
    List<String> found = new ArrayList<>();
    whileJoining(
        log,
        () -> {
          for (int i = 0; i < END; i++) {
            found.add(Logs.read(log, i).get(0));
          }
        });
    assertThat(found).isEqualTo(Logs.read(log, 0)).hasSize(END);
  }

  /** What was found at the end of a segment is not what follows by now. */
  @Test
  void aReaderBehindTheLastRecordOfItsSegmentGoesOnWithTheOneThatFollows() {
    PartitionLog log = logs.create();
    for (int i = 0; i < END; i++) {
      // The third batch of a segment goes in the first round, but for the last segments.
      logs.append(log, i % 3 == 2 ? "again" : "value" + i);
    }
    assertThat(cleaner.cleanDirtiest(List.of(log), l -> new Reach(l.logEndOffset(), 0))).isTrue();
    assertThat(Logs.read(log, 2)).startsWith("3=value3");
    logs.append(log, "more");
    log.roll();
    PartitionLog again = logs.restart(log);
    disk.onChannel = () -> join(again);
    assertThat(Logs.read(again, 2)).startsWith("3=value3");
    assertThat(disk.onChannel).isNull();
  }

  /**
   * The segments are joined when a look-up has asked the first one for its latest time, which is
   * that of a record in the second.
   */
  @Test
  void aLookUpByTimeFindsWhatWasJoinedMeanwhile() {
    PartitionLog filled = logs.create();
    for (int i = 0; i < END; i++) {
      logs.nowMs += i == 5 ? 1_000 : 0;
      logs.append(filled, "value" + i);
      logs.nowMs -= i == 5 ? 1_000 : 0;
    }
    filled.roll();
    PartitionLog log = logs.restart(filled);
    disk.approached = "00000000000000000000.timeindex";
    disk.onApproach = () -> join(log);
    Optional<TimedOffset> found = log.firstReaching(logs.nowMs + 1, END);
    assertThat(found).map(TimedOffset::offset).hasValue(5L);
    assertThat(disk.onApproach).isNull();
  }

  @Test
  void theAbortedTransactionsAreToldOnceAtEveryStep() {
    PartitionLog log = logs.create();
    for (int i = 0; i < END / 3; i++) {
      Transactions.write(logs, log, 1, i, false);
      logs.append(log, "value" + i);
    }
    long end = log.logEndOffset();
    int before = log.abortedTransactions(0, end).size();
    assertThat(before).isEqualTo(END / 3);
    AtomicReference<List<?>> found = new AtomicReference<>(List.of());
    whileJoining(log, () -> found.set(log.abortedTransactions(0, end)));
    assertThat(found.get()).hasSize(before);
  }
}

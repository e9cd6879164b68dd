package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.clean.LocalCleaner;
import io.strandline.broker.log.clean.LocalCleaner.Reach;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.seal.DueSegment;
import io.strandline.tiering.seal.SealRule;
import io.strandline.tiering.segment.BatchBounds;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class LocalCleanerTest {
  private final Logs logs;
  private final LocalCleaner cleaner;
  private final Map<String, String> latest = new TreeMap<>();

  LocalCleanerTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(500);
    logs.with(TopicConfig.CLEANUP_POLICY_CONFIG, "compact");
    cleaner =
        new LocalCleaner(
            () -> new CompactionConfig(1 << 20, 0.9, 64 << 10, 1 << 20, BatchBounds.defaults()),
            () -> Instant.ofEpochMilli(logs.nowMs),
            new SimpleMeterRegistry());
  }

  private void put(PartitionLog log, String key, String value) {
    byte[] bytes = value == null ? null : Logs.bytes(value);
    MemoryRecords records =
        MemoryRecords.withRecords(
            Compression.NONE, new SimpleRecord(logs.nowMs, Logs.bytes(key), bytes));
    log.appendAsLeader(records, 0, AppendOrigin.COORDINATOR, logs.nowMs);
    latest.put(key, value);
  }

  private PartitionLog filled() {
    PartitionLog log = logs.create();
    for (int i = 0; i < 100; i++) {
      put(log, "key" + i % 5, "value" + i);
    }
    return log;
  }

  private boolean clean(PartitionLog log) {
    return clean(log, Long.MAX_VALUE);
  }

  private boolean clean(PartitionLog log, long tombstonesBelow) {
    return cleaner.cleanDirtiest(List.of(log), l -> new Reach(l.logEndOffset(), tombstonesBelow));
  }

  private static Map<String, String> state(PartitionLog log) {
    Map<String, String> state = new TreeMap<>();
    for (Record record : records(log)) {
      state.put(Logs.text(record.key()), record.hasValue() ? Logs.text(record.value()) : "null");
    }
    return state;
  }

  private static List<Record> records(PartitionLog log) {
    List<Record> records = new ArrayList<>();
    long offset = log.localLogStartOffset();
    while (offset < log.logEndOffset()) {
      try (LogRead read = log.read(offset, 1 << 20, log.logEndOffset(), true)) {
        if (read.isEmpty()) {
          break;
        }
        read.toMemory().records().forEach(records::add);
        offset = read.nextOffset();
      }
    }
    return records;
  }

  @Test
  void theLastValueOfEachKeyStaysAtItsOffset() {
    PartitionLog log = filled();
    Map<Long, String> before = new HashMap<>();
    records(log).forEach(r -> before.put(r.offset(), Logs.text(r.value())));
    assertThat(clean(log)).isTrue();
    assertThat(clean(log)).as("clean now").isFalse();
    assertThat(state(log)).isEqualTo(latest);
    assertThat(records(log)).hasSizeLessThan(20);
    assertThat(records(log))
        .allSatisfy(r -> assertThat(before.get(r.offset())).isEqualTo(Logs.text(r.value())));
    assertThat(log.logEndOffset()).isEqualTo(100);

    PartitionLog again = logs.crash(log);
    assertThat(state(again)).isEqualTo(latest);
    assertThat(clean(again)).as("the checkpoint is kept").isFalse();
    put(again, "key1", "newest");
    assertThat(state(logs.restart(again))).isEqualTo(latest);
  }

  @Test
  void whatCompactionMadeSmallIsJoinedByTheNextRound() {
    PartitionLog log = filled();
    int segments = log.segmentCount();
    assertThat(clean(log)).isTrue();
    for (int i = 0; i < 20; i++) {
      put(log, "key" + i % 5, "later" + i);
    }
    assertThat(clean(log)).isTrue();
    assertThat(log.segmentCount()).isLessThan(segments / 2);
    assertThat(state(log)).isEqualTo(latest);
    assertThat(state(logs.crash(log))).isEqualTo(latest);
  }

  @Test
  void segmentsThatWereEmptiedLeaveNoHoleThoughTheTopicBeCompactedNoMore() {
    PartitionLog log = logs.create();
    for (int i = 0; i < 100; i++) {
      put(log, "key", "value" + i);
    }
    assertThat(clean(log)).isTrue();
    logs.with(TopicConfig.CLEANUP_POLICY_CONFIG, "delete");
    PartitionLog again = logs.crash(log);
    assertThat(again.logEndOffset()).isEqualTo(100);
    assertThat(state(again)).isEqualTo(latest);
  }

  /** A follower's segment may be cut, filled anew and closed again while its copy is made. */
  @Test
  void aCopyOfWhatWasCutOffMeanwhileIsNotWanted() {
    FailingDisk disk = new FailingDisk();
    logs.disk = disk;
    PartitionLog log = filled();
    List<String> expected = new ArrayList<>();
    disk.approached = ".index.cleaned"; // all batches are in the copy
    disk.onApproach =
        () -> {
          log.truncateTo(1);
          for (int i = 0; i < 20; i++) {
            put(log, "key" + i, "another" + i);
          }
          expected.addAll(Logs.read(log, 0));
        };
    assertThat(clean(log)).isTrue();
    assertThat(disk.onApproach).isNull();
    assertThat(expected).hasSize(21);
    assertThat(Logs.read(log, 0)).isEqualTo(expected);
  }

  /**
   * A copy cannot know that it knows all: the leader forgot the producer, and compacted the rest.
   */
  @Test
  void aCopyOfACompactedLogTakesTheNextBatchOfAProducerThatItNeverSaw(@TempDir Path other) {
    PartitionLog leader = logs.create();
    for (int i = 0; i < 5; i++) {
      sequenced(leader, i);
    }
    for (int i = 0; i < 40; i++) {
      put(leader, "key", "later" + i);
    }
    logs.nowMs += TimeUnit.DAYS.toMillis(2);
    leader.directory().maintain(logs.nowMs);
    assertThat(leader.activeProducers()).isEmpty();
    assertThat(clean(leader)).isTrue();
    assertThat(records(leader).get(0).offset()).isGreaterThan(5);

    PartitionLog follower = copyOf(leader, other.resolve("e"));
    assertThat(state(follower)).isEqualTo(latest);
    assertThat(sequenced(follower, 5).firstOffset()).isEqualTo(45);
    assertThat(sequenced(leader, 5).firstOffset()).isEqualTo(45);
  }

  @Test
  void aCopyThatMissesNothingTakesAProducerFromItsFirstBatchOn(@TempDir Path other) {
    PartitionLog leader = filled();
    PartitionLog follower = copyOf(leader, other.resolve("e"));
    assertThatThrownBy(() -> sequenced(follower, 5))
        .isInstanceOf(OutOfOrderSequenceException.class);
    assertThat(sequenced(follower, 0).firstOffset()).isEqualTo(100);
  }

  private PartitionLog copyOf(PartitionLog leader, Path path) {
    Logs others = new Logs(path).with(TopicConfig.CLEANUP_POLICY_CONFIG, "compact");
    others.nowMs = logs.nowMs;
    PartitionLog follower = others.create();
    while (follower.logEndOffset() < leader.logEndOffset()) {
      try (LogRead read = leader.read(follower.logEndOffset(), 200, leader.logEndOffset(), true)) {
        follower.appendAsFollower(read.toMemory(), 0);
      }
    }
    return follower;
  }

  private Appended sequenced(PartitionLog log, int sequence) {
    MemoryRecords records =
        MemoryRecords.withIdempotentRecords(
            Compression.NONE,
            7,
            (short) 0,
            sequence,
            new SimpleRecord(logs.nowMs, Logs.bytes("key"), Logs.bytes("i" + sequence)));
    return log.appendAsLeader(records, 0, AppendOrigin.CLIENT, logs.nowMs);
  }

  /** What was emptied has no bytes to go up; the tier goes on across it. */
  @Test
  void theTierSeesNoHoleWhereSegmentsWereEmptied() {
    PartitionLog log = filled();
    assertThat(clean(log)).isTrue();
    long end = log.activeSegmentBaseOffset();
    for (long from = 0; from < end; from++) {
      List<DueSegment> due = SealRule.due(log, from, end, 100);
      assertThat(due.get(0).startOffset()).isEqualTo(from);
      assertThat(due.get(due.size() - 1).endOffset()).isEqualTo(end);
    }
  }

  /** They are for what somebody else holds of the log. */
  @Test
  void tombstonesFromAnOffsetOnStayHoweverOldAndDeleteAllTheSame() {
    PartitionLog log = logs.create();
    put(log, "early", "value");
    put(log, "early", null);
    put(log, "late", "value");
    long below = log.logEndOffset();
    put(log, "late", null);
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 20; i++) {
        put(log, "key" + i % 5, "round" + round);
      }
      assertThat(clean(log, below)).isTrue();
      logs.nowMs += TimeUnit.DAYS.toMillis(2);
    }
    assertThat(state(log)).doesNotContainKey("early").containsEntry("late", "null");
    assertThat(records(log).get(0).offset()).isEqualTo(below);
    for (int i = 0; i < 20; i++) {
      put(log, "key" + i % 5, "last");
    }
    assertThat(clean(log)).isTrue();
    assertThat(state(log)).doesNotContainKey("late");
  }

  /** What took the place of what was cut off is compacted like all the rest. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aLogThatWasCutAndGrewAgainIsDirtyFromTheCutOn(boolean emptied) {
    PartitionLog log = logs.create();
    put(log, "deleted", "value");
    for (int i = 1; i < 100; i++) {
      put(log, "key" + i % 5, "value" + i);
    }
    assertThat(clean(log)).isTrue();
    assertThat(state(log)).containsKey("deleted");
    if (emptied) {
      log.truncateFullyAndStartAt(0, 0);
      put(log, "deleted", "again");
    } else {
      log.truncateTo(60);
    }
    put(log, "deleted", null);
    while (log.logEndOffset() < 200) {
      put(log, "key" + log.logEndOffset() % 5, "later");
    }
    log = logs.crash(log);
    assertThat(clean(log)).isTrue();
    assertThat(state(log)).containsEntry("deleted", "null");
    logs.nowMs += TimeUnit.DAYS.toMillis(2);
    for (int i = 0; i < 50; i++) {
      put(log, "key" + i % 5, "last");
    }
    assertThat(clean(log)).isTrue();
    assertThat(state(log)).doesNotContainKey("deleted");
  }

  @Test
  void nothingAboveTheStableOffsetIsTouched() {
    PartitionLog log = filled();
    int before = records(log).size();
    assertThat(cleaner.cleanDirtiest(List.of(log), l -> new Reach(3, 3))).isFalse();
    assertThat(records(log)).hasSize(before);
  }

  @Test
  void aLogIsNotCompactedBeforeItIsDirtyEnough() {
    logs.with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "0.9");
    PartitionLog log = logs.create();
    for (int i = 0; i < 50; i++) {
      put(log, "key" + i, "v");
    }
    assertThat(clean(log)).isTrue();
    for (int i = 0; i < 20; i++) {
      put(log, "key" + i, "w");
    }
    assertThat(clean(log)).isFalse();
    logs.with(TopicConfig.MIN_CLEANABLE_DIRTY_RATIO_CONFIG, "0.1");
    log.reconfigure(logs.logConfig());
    assertThat(clean(log)).isTrue();
    assertThat(state(log)).isEqualTo(latest);
  }

  @ParameterizedTest
  @ValueSource(strings = {"cleaned", "index swapped", "swapped", "half replaced", "replaced"})
  void aSwapCutByACrashIsUndoneOrCompleted(String when) throws IOException {
    PartitionLog log = filled();
    log.flush();
    Path dir = log.path();
    Path saved = Files.createDirectory(dir.resolveSibling("saved"));
    copyAll(dir, saved, "");
    assertThat(clean(log)).isTrue();
    log.directory().close();
    Path base = dir.resolve("00000000000000000000.log");
    Path index = dir.resolve("00000000000000000000.index");
    if (when.equals("cleaned")) {
      Files.move(base, dir.resolve(base.getFileName() + ".cleaned"));
      Files.move(index, dir.resolve(index.getFileName() + ".cleaned"));
      copyAll(saved, dir, "");
    } else {
      Files.move(index, dir.resolve(index.getFileName() + ".swap"));
      String logSuffix = when.equals("index swapped") ? ".cleaned" : ".swap";
      if (!when.equals("replaced")) {
        Files.move(base, dir.resolve(base.getFileName() + logSuffix));
        copyAll(saved, dir, when.equals("half replaced") ? "0000000000000000000" : "");
      } else {
        Files.move(base, dir.resolve(base.getFileName() + ".swap"));
      }
    }
    PartitionLog again = logs.reopen();
    assertThat(state(again)).isEqualTo(latest);
    assertThat(again.logEndOffset()).isEqualTo(100);
    try (var left = Files.list(dir)) {
      assertThat(left.map(Path::toString))
          .noneMatch(f -> f.endsWith(".swap") || f.endsWith(".cleaned"));
    }
    again.directory().close();
  }

  private static void copyAll(Path from, Path to, String prefix) throws IOException {
    try (var files = Files.list(from)) {
      for (Path file : files.toList()) {
        String name = file.getFileName().toString();
        boolean segment = name.matches("[0-9]{20}\\.(log|index|timeindex)");
        if (segment && name.startsWith(prefix) && !Files.exists(to.resolve(name))) {
          Files.copy(file, to.resolve(name));
        }
      }
    }
  }
}

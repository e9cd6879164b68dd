package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log moves to another directory while it is used, and a crash finds it in one or the other. */
class LogMoveTest {
  private static final String NAME = "orders-0";

  @TempDir Path dir;
  private Logs here;
  private Logs there;
  private final List<String> expected = new ArrayList<>();

  @BeforeEach
  void twoDirectories() {
    here = new Logs(dir.resolve("a")).segmentBytes(400);
    there = new Logs(dir.resolve("b")).segmentBytes(400);
  }

  @Test
  void allOfItIsThereAndGoesOnThere() throws Exception {
    PartitionLog log = here.create();
    append(log, 0, 30);
    log.advanceLogStart(3);
    LogDirectory to = there.directory();
    LogMove move = to.move(log);
    move.copy(150);
    append(log, 1, 20);
    assertThat(move.finish()).as("sealed segments are missing").isFalse();
    copyAll(move);
    append(log, 1, 5);
    while (!move.finish()) {
      copyAll(move);
    }

    assertThat(log.directory()).isSameAs(to);
    assertThat(log.path()).isEqualTo(there.path.resolve(NAME));
    append(log, 2, 20);
    assertThat(Logs.read(log, 3)).isEqualTo(expected.subList(3, expected.size()));
    assertThat(log.logStartOffset()).isEqualTo(3);
    assertThat(log.endOffsetForEpoch(1)).isEqualTo(Optional.of(new EpochEnd(1, 55)));
    assertThat(here.path.resolve(NAME)).doesNotExist();
    here.scheduler.runAll();
    assertThat(names(here.path)).noneMatch(name -> name.startsWith("orders"));

    to.close();
    PartitionLog again = there.reopen();
    assertThat(Logs.read(again, 3)).isEqualTo(expected.subList(3, expected.size()));
    assertThat(again.logStartOffset()).isEqualTo(3);
  }

  /** What a reader found before goes on, and a look-up by name finds the new place. */
  @Test
  void readersDoNotNotice() throws Exception {
    PartitionLog log = here.create();
    append(log, 0, 30);
    LogMove move = there.directory().move(log);
    copyAll(move);
    try (LogRead before = log.read(0, 100, log.logEndOffset(), true)) {
      assertThat(move.finish()).isTrue();
      here.scheduler.runAll();
      assertThat(before.toMemory().sizeInBytes()).isPositive();
    }
    assertThat(log.sealedSegments(0, log.logEndOffset(), 1).get(0).log().startsWith(there.path))
        .isTrue();
  }

  @Test
  void producersComeAlong() throws Exception {
    PartitionLog log = here.create();
    sequenced(log, 0);
    sequenced(log, 1);
    LogMove move = there.directory().move(log);
    copyAll(move);
    assertThat(move.finish()).isTrue();
    assertThat(sequenced(log, 1).duplicate()).isTrue();
    assertThatThrownBy(() -> sequenced(log, 7)).isInstanceOf(OutOfOrderSequenceException.class);
    sequenced(log, 2);
    log.directory().close();
    PartitionLog again = there.reopen();
    assertThat(sequenced(again, 2).duplicate()).isTrue();
    sequenced(again, 3);
  }

  /** What was cut off and written anew is not what was copied first. */
  @Test
  void whatIsCutMeanwhileIsCopiedAnew() throws Exception {
    PartitionLog log = here.create();
    append(log, 0, 30);
    LogMove move = there.directory().move(log);
    copyAll(move);
    log.truncateTo(11);
    expected.subList(11, expected.size()).clear();
    for (int i = 0; i < 25; i++) {
      String value = "other " + i;
      here.append(log, Compression.NONE, 3, value);
      expected.add((11 + i) + "=" + value);
    }
    copyAll(move);
    assertThat(move.finish()).isTrue();
    assertThat(Logs.read(log, 0)).isEqualTo(expected);
    log.directory().close();
    assertThat(Logs.read(there.reopen(), 0)).isEqualTo(expected);
  }

  /** Segments that the tier freed meanwhile are not brought back by the copy. */
  @Test
  void whatIsFreedMeanwhileGoesFromTheCopy() throws Exception {
    PartitionLog log = here.create();
    append(log, 0, 30);
    LogMove move = there.directory().move(log);
    copyAll(move);
    log.truncateFullyAndStartAt(100, 0);
    copyAll(move);
    assertThat(move.sizeBytes()).isZero();
    assertThat(move.finish()).isTrue();
    assertThat(log.localLogStartOffset()).isEqualTo(100);
    assertThat(log.logStartOffset()).isZero();
    assertThat(names(log.path()).stream().filter(name -> name.endsWith(".log")))
        .containsExactly("00000000000000000100.log");
  }

  @Test
  void whatAnEarlierProcessLeftIsFoundAndGivenUp() throws Exception {
    PartitionLog log = here.create();
    append(log, 0, 30);
    LogDirectory to = there.directory();
    to.move(log).copy(Long.MAX_VALUE);
    to.close();

    LogDirectory next = there.directory();
    assertThat(next.openAll(topic -> there.logConfig())).isEmpty();
    assertThat(next.futures()).containsExactly(Logs.TP);
    LogMove move = next.move(log);
    assertThat(futures()).hasSize(1);
    move.discard();
    assertThat(futures()).isEmpty();
    assertThat(Logs.read(log, 0)).isEqualTo(expected);
  }

  /**
   * The process ends after each step on either disk: one of the directories, or both, has the log,
   * with all that was appended.
   */
  @Test
  void aCrashAnywhereLosesNothing() throws Exception {
    int steps = 0;
    boolean survived = false;
    while (!survived) {
      survived = crashAfter(steps++);
    }
    assertThat(steps).isGreaterThan(30);
  }

  private boolean crashAfter(int steps) throws Exception {
    Path root = dir.resolve("crash-" + steps);
    expected.clear();
    here = new Logs(root.resolve("a")).segmentBytes(400);
    there = new Logs(root.resolve("b")).segmentBytes(400);
    Fuse fuse = new Fuse();
    here.disk = fuse;
    there.disk = fuse;
    PartitionLog log = here.create();
    append(log, 0, 12);
    LogDirectory from = log.directory();
    LogDirectory to = there.directory();
    fuse.left = steps;
    boolean done = false;
    try {
      LogMove move = to.move(log);
      copyAll(move);
      done = move.finish();
    } catch (Burnt | KafkaStorageException end) {
      assertThat(fuse.left).isLessThanOrEqualTo(0);
    }
    fuse.left = Integer.MAX_VALUE;
    here.disk = new NioDisk();
    there.disk = new NioDisk();
    from.close();
    to.close();
    LogDirectory a = here.directory();
    LogDirectory b = there.directory();
    List<PartitionLog> found = new ArrayList<>();
    found.addAll(a.openAll(topic -> here.logConfig()).values());
    found.addAll(b.openAll(topic -> there.logConfig()).values());
    assertThat(found).as("after %d steps", steps).isNotEmpty();
    for (PartitionLog one : found) {
      assertThat(Logs.read(one, 0)).as("after %d steps", steps).isEqualTo(expected);
    }
    a.close();
    b.close();
    return done && found.size() == 1;
  }

  // ---- help

  private void copyAll(LogMove move) {
    long copied = 1;
    while (copied > 0) {
      copied = move.copy(Long.MAX_VALUE);
    }
  }

  private void append(PartitionLog log, int epoch, int count) {
    for (int i = 0; i < count; i++) {
      String value = "value " + expected.size();
      here.append(log, Compression.NONE, epoch, value);
      expected.add((log.logEndOffset() - 1) + "=" + value);
    }
  }

  private Appended sequenced(PartitionLog log, int sequence) {
    return log.appendAsLeader(
        MemoryRecords.withIdempotentRecords(
            Compression.NONE,
            77L,
            (short) 0,
            sequence,
            new SimpleRecord(here.nowMs, null, "s".getBytes(StandardCharsets.UTF_8))),
        0,
        AppendOrigin.CLIENT,
        here.nowMs);
  }

  private List<String> futures() throws IOException {
    return names(there.path).stream().filter(name -> name.endsWith("-future")).toList();
  }

  private static List<String> names(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.map(path -> path.getFileName().toString()).toList();
    }
  }

  private static final class Burnt extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /** A disk on which so many steps are done and no more. */
  private static final class Fuse implements Disk {
    private final Disk disk = new NioDisk();
    private final Random random = new Random(3);
    int left = Integer.MAX_VALUE;

    private void burn() {
      if (left-- <= 0) {
        throw new Burnt();
      }
    }

    @Override
    public File open(Path file, boolean create) throws IOException {
      File open = disk.open(file, create);
      return new File() {
        @Override
        public java.nio.channels.FileChannel channel() {
          return open.channel();
        }

        @Override
        public void write(ByteBuffer bytes, long positionBytes) throws IOException {
          if (left <= 0) { // some of it
            ByteBuffer part = bytes.duplicate();
            open.write(
                part.limit(part.position() + random.nextInt(part.remaining() + 1)), positionBytes);
          }
          burn();
          open.write(bytes, positionBytes);
        }

        @Override
        public void truncate(long sizeBytes) throws IOException {
          burn();
          open.truncate(sizeBytes);
        }

        @Override
        public void force() throws IOException {
          open.force();
        }

        @Override
        public long sizeBytes() throws IOException {
          return open.sizeBytes();
        }

        @Override
        public void close() throws IOException {
          open.close();
        }
      };
    }

    @Override
    public void createDirectory(Path directory) throws IOException {
      burn();
      disk.createDirectory(directory);
    }

    @Override
    public void rename(Path from, Path to) throws IOException {
      burn();
      disk.rename(from, to);
    }

    @Override
    public boolean delete(Path path) throws IOException {
      burn();
      return disk.delete(path);
    }

    @Override
    public void forceDirectory(Path directory) throws IOException {
      disk.forceDirectory(directory);
    }

    @Override
    public List<Path> list(Path directory) throws IOException {
      return disk.list(directory);
    }

    @Override
    public boolean exists(Path path) {
      return disk.exists(path);
    }
  }
}

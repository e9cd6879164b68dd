package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.tiering.segment.EpochStart;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A log against the history that another one left: epoch 1 from 0, epoch 3 from 4, end 8. */
class NurseryTest {
  private final Logs logs;
  private PartitionLog log;
  private LogNursery left;

  NurseryTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
  }

  @BeforeEach
  void begin() throws IOException {
    log = logs.create();
    left = log.directory().nursery(Logs.TP);
    left.bounds(0, 8);
    left.epochs(List.of(new EpochStart(1, 0), new EpochStart(3, 4)));
  }

  private void append(int epoch, int count) {
    for (int i = 0; i < count; i++) {
      logs.append(log, Compression.NONE, epoch, "value");
    }
  }

  @Test
  void itHasAllOfItIfItGoesOnWhereThatEnds() {
    append(1, 4);
    append(3, 4);
    assertThat(left.within(log)).as("as far").isTrue();
    append(3, 2);
    assertThat(left.within(log)).as("further in the same epoch").isTrue();
    append(6, 2);
    assertThat(left.within(log)).as("and in a later one").isTrue();
  }

  @Test
  void itMissesTheEnd() {
    append(1, 4);
    append(3, 3);
    assertThat(left.within(log)).isFalse();
  }

  /** As far, and other records of the same offsets. */
  @Test
  void itWentAnotherWay() {
    append(1, 4);
    append(2, 6);
    assertThat(left.within(log)).as("the epoch is unknown").isFalse();
  }

  @Test
  void itWentAnotherWayWithinTheLastEpoch() {
    append(1, 4);
    append(3, 2);
    append(4, 6);
    assertThat(left.within(log)).isFalse();
  }

  /** What is no log in its own place is none at all: the next try finds the place free. */
  @Test
  void whatCannotBeReadIsANurseryStill() throws IOException {
    LogDirectory directory = log.directory();
    directory.delete(log);
    LogNursery damaged = directory.nursery(Logs.TP);
    batches(damaged, 0, 3_000_000_000L); // in one file, which cannot be
    damaged.bounds(0, 3_000_000_001L);
    assertThatThrownBy(() -> directory.adopt(damaged, logs.logConfig()))
        .isInstanceOf(KafkaStorageException.class)
        .hasMessageContaining("out of place");
    assertThat(directory.online()).isTrue();
    directory.discard(damaged);
    assertThat(damaged.path()).doesNotExist();
    LogNursery sound = directory.nursery(Logs.TP);
    batches(sound, 0, 5);
    sound.bounds(0, 6);
    assertThat(Logs.read(directory.adopt(sound, logs.logConfig()), 0))
        .containsExactly("0=v", "5=v");
  }

  @Test
  void norIsItALogAtTheNextStart() throws IOException {
    LogDirectory directory = log.directory();
    directory.delete(log);
    LogNursery damaged = directory.nursery(Logs.TP);
    batches(damaged, 0, 3_000_000_000L);
    damaged.bounds(0, 3_000_000_001L);
    assertThatThrownBy(() -> directory.adopt(damaged, logs.logConfig()))
        .isInstanceOf(KafkaStorageException.class);
    directory.close();
    LogDirectory next = logs.directory();
    assertThat(next.openAll(topic -> logs.logConfig())).isEmpty();
    assertThat(next.unreadable()).isEmpty();
    assertThat(next.create(Logs.TP, logs.logConfig()).logStartOffset()).isZero();
  }

  /** All in the file of the first. */
  private static void batches(LogNursery nursery, long... offsets) throws IOException {
    long positionBytes = 0;
    try (Disk.File file = nursery.segment(offsets[0])) {
      for (long offset : offsets) {
        MemoryRecords batch =
            MemoryRecords.withRecords(
                offset, Compression.NONE, 0, new SimpleRecord(1_000, null, Logs.bytes("v")));
        file.write(batch.buffer(), positionBytes);
        positionBytes += batch.sizeInBytes();
      }
    }
  }

  @Test
  void whereNothingWasLeftNothingIsMissed() {
    assertThat(log.directory().nursery(Logs.TP).within(log)).isTrue();
  }
}

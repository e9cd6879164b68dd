package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.disk.Checkpoints;
import java.nio.file.Path;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A topic is deleted and made again: what the checkpoints told of the first is not the second's.
 */
class BegunAnewTest {
  private static final TopicIdPartition AGAIN =
      new TopicIdPartition(new Uuid(7, 10), Logs.TP.topicPartition());

  private final Logs logs;

  BegunAnewTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(300);
  }

  /** Its start, its recovery point and how far it is compacted are on disk, and not zero. */
  private PartitionLog told() {
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    log.advanceLogStart(15);
    log.flush();
    log.cleanable().cleanedTo(15);
    log.directory().maintain(logs.nowMs);
    return log;
  }

  private PartitionLog crash(PartitionLog log) {
    log.directory().close();
    PartitionLog again = logs.directory().openAll(topic -> logs.logConfig()).get(AGAIN);
    assertThat(again).isNotNull();
    return again;
  }

  private void assertItsOwn(PartitionLog log) {
    assertThat(log.logStartOffset()).isZero();
    assertThat(log.recoveryPoint()).isLessThanOrEqualTo(5);
    assertThat(log.cleanable().cleanedOffset()).isZero();
    assertThat(Logs.read(log, 0)).hasSize(5).startsWith("0=again0");
  }

  private void fill(PartitionLog log) {
    for (int i = 0; i < 5; i++) {
      logs.append(log, "again" + i);
    }
  }

  @Test
  void atOnceAndThenTheProcessEnds() {
    PartitionLog log = told();
    LogDirectory directory = log.directory();
    directory.delete(log);
    PartitionLog again = directory.create(AGAIN, logs.logConfig());
    fill(again);
    assertItsOwn(crash(again));
  }

  @Test
  void theProcessEndsInBetweenAndAfterwards() {
    PartitionLog log = told();
    log.directory().delete(log);
    log.directory().close();
    LogDirectory next = logs.directory();
    assertThat(next.openAll(topic -> logs.logConfig())).isEmpty();
    PartitionLog again = next.create(AGAIN, logs.logConfig());
    fill(again);
    assertItsOwn(crash(again));
  }

  @Test
  void itsLogIsPreparedElsewhere() {
    PartitionLog log = told();
    LogDirectory directory = log.directory();
    directory.delete(log);
    PartitionLog again = directory.adopt(directory.nursery(AGAIN), logs.logConfig());
    fill(again);
    assertItsOwn(crash(again));
  }

  @Test
  void theProcessEndsBeforeAnythingIsInIt() {
    PartitionLog log = told();
    LogDirectory directory = log.directory();
    directory.delete(log);
    PartitionLog again = crash(directory.create(AGAIN, logs.logConfig()));
    assertThat(again.logStartOffset()).isZero();
    assertThat(again.logEndOffset()).isZero();
  }

  /** A log that could not be opened is not there, but its directory is. */
  @Test
  void whatIsToldOfALogInTheWayIsKept() {
    PartitionLog log = told();
    log.directory().close();
    LogDirectory next = logs.directory(); // none is opened
    assertThatThrownBy(() -> next.create(AGAIN, logs.logConfig()))
        .isInstanceOf(KafkaStorageException.class);
    assertThatThrownBy(() -> next.adopt(next.nursery(AGAIN), logs.logConfig()))
        .isInstanceOf(KafkaStorageException.class);
    assertThat(next.online()).isTrue();
    next.close();
    PartitionLog found = logs.reopen();
    assertThat(found.logStartOffset()).isEqualTo(15);
    assertThat(Logs.read(found, 15)).hasSize(5);
  }

  /** Thousands of logs are made at once. */
  @Test
  void aNameThatIsNewWritesNoCheckpoint() {
    FailingDisk disk = new FailingDisk();
    logs.disk = disk;
    fill(logs.create());
    assertThat(disk.forced).noneMatch(name -> name.startsWith(Checkpoints.LOG_START));
  }
}

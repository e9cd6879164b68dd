package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import org.apache.kafka.common.errors.OffsetOutOfRangeException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Files that go with their segment while somebody is about to open them. */
class GoneUnderReadersTest {
  private final Logs logs;
  private final FailingDisk disk = new FailingDisk();

  GoneUnderReadersTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d")).segmentBytes(300);
    logs.disk = disk;
  }

  private PartitionLog filled() {
    PartitionLog log = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.append(log, "value" + i);
    }
    return logs.restart(log);
  }

  private void letGo(PartitionLog log, long offset) {
    log.advanceLogStart(offset);
    assertThat(logs.scheduler.runAll()).isPositive();
  }

  @Test
  void aReadIsOutOfRangeWhenItsSegmentIsDeletedUnderIt() {
    PartitionLog log = filled();
    disk.onChannel = () -> letGo(log, 12);
    assertThatThrownBy(() -> log.read(0, 1000, 20, true))
        .isInstanceOf(OffsetOutOfRangeException.class);
    assertThat(log.directory().online()).isTrue();
    assertThat(Logs.read(log, 12)).hasSize(8);
  }

  @Test
  void aLookUpByTimeGoesOnWithTheNextSegment() {
    PartitionLog log = filled();
    disk.onChannel = () -> letGo(log, 12);
    assertThat(log.firstReaching(0, 20)).isPresent();
    assertThat(log.directory().online()).isTrue();

    PartitionLog other = logs.restart(log);
    disk.onChannel = () -> letGo(other, 19);
    assertThat(other.maxTimestamp(20)).isPresent();
    assertThat(other.directory().online()).isTrue();
  }

  @Test
  void theListOfAbortedTransactionsGoesWithItsSegment() {
    PartitionLog created = logs.create();
    Transactions.write(logs, created, 1, 0, false);
    for (int i = 0; i < 20; i++) {
      logs.append(created, "value" + i);
    }
    PartitionLog log = logs.restart(created);
    disk.existsKind = ".txnindex";
    disk.onExists = () -> log.advanceLogStart(12); // renamed, between the look and the opening
    assertThat(log.abortedTransactions(0, 20)).isEmpty();
    assertThat(disk.onExists).isNull();
    assertThat(log.directory().online()).isTrue();
  }
}

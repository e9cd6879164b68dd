package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
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

  @Test
  void aReaderWhoseLogMovesAwayReadsWhereItLiesThen() throws Exception {
    PartitionLog log = filled();
    LogDirectory from = log.directory();
    List<String> read = acrossAMove(log, "00000000000000000000.log", () -> Logs.read(log, 0));
    assertThat(read).hasSize(20).startsWith("0=value0");
    assertThat(from.online()).isTrue();
  }

  @Test
  void theListOfAbortedTransactionsComesFromWhereTheLogLiesThen() throws Exception {
    PartitionLog created = logs.create();
    Transactions.write(logs, created, 1, 0, false);
    for (int i = 0; i < 20; i++) {
      logs.append(created, "value" + i);
    }
    PartitionLog log = logs.restart(created);
    LogDirectory from = log.directory();
    assertThat(acrossAMove(log, ".txnindex", () -> log.abortedTransactions(0, 22))).hasSize(1);
    assertThat(from.online()).isTrue();
  }

  /** The move ends at the first segment that is looked at, whose files are held. */
  @Test
  void aLookUpByTimeGoesOnWhereTheLogLiesThen() {
    PartitionLog created = logs.create();
    for (int i = 0; i < 20; i++) {
      logs.nowMs++;
      logs.append(created, "value" + i);
    }
    PartitionLog log = logs.restart(created);
    LogDirectory to = new Logs(logs.path.resolveSibling("there")).segmentBytes(300).directory();
    LogMove move = to.move(log);
    copyAll(move);
    disk.onChannel = () -> assertThat(move.finish()).isTrue();
    assertThat(log.firstReaching(logs.nowMs - 12, 20))
        .hasValueSatisfying(found -> assertThat(found.offset()).isEqualTo(7));
    assertThat(disk.onChannel).isNull();
    assertThat(log.directory()).isSameAs(to);
  }

  /** Its directory has another name already, and nobody has told the log. */
  @Test
  void whoCopiesALogThatIsDeletedFindsNothingMoreToCopy() {
    PartitionLog log = filled();
    LogDirectory from = log.directory();
    LogMove move = new Logs(logs.path.resolveSibling("there")).directory().move(log);
    assertThat(move.copy(1)).isPositive();
    disk.forcedName = from.path().getFileName().toString();
    disk.onForced = () -> copyAll(move);
    from.delete(log);
    assertThat(disk.onForced).isNull();
    assertThat(from.online()).isTrue();
    assertThat(logs.scheduler.runAll()).isPositive();
    copyAll(move); // its files are gone, under any name
    assertThat(from.online()).isTrue();
  }

  private static void copyAll(LogMove move) {
    long copied = 1;
    while (copied > 0) {
      copied = move.copy(Long.MAX_VALUE);
    }
  }

  /**
   * Reads; when the file is about to be opened, the log's directory gets its last name, and what
   * follows in the move waits for the reader.
   */
  private <T> T acrossAMove(PartitionLog log, String file, Supplier<T> read) throws Exception {
    LogDirectory to = new Logs(logs.path.resolveSibling("there")).segmentBytes(300).directory();
    LogDirectory from = log.directory();
    LogMove move = to.move(log);
    copyAll(move);
    from.maintain(logs.nowMs);
    from.maintain(logs.nowMs); // nobody has the sealed segments' files open any more
    CountDownLatch approached = new CountDownLatch(1);
    CountDownLatch renamed = new CountDownLatch(1);
    disk.approached = file;
    disk.onApproach =
        () -> {
          approached.countDown();
          await(renamed);
        };
    CompletableFuture<T> reader = CompletableFuture.supplyAsync(read);
    assertThat(approached.await(30, TimeUnit.SECONDS)).isTrue();
    disk.forcedName = from.path().getFileName().toString();
    disk.onForced =
        () -> {
          renamed.countDown();
          reader.exceptionally(failure -> null).join();
        };
    assertThat(move.finish()).isTrue();
    assertThat(disk.onForced).isNull();
    assertThat(log.directory()).isSameAs(to);
    return reader.get(30, TimeUnit.SECONDS);
  }

  private static void await(CountDownLatch latch) {
    try {
      assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }
}

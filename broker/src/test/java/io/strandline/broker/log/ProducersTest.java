package io.strandline.broker.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tiering.seal.SealedSegment;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.InvalidProducerEpochException;
import org.apache.kafka.common.errors.InvalidTxnStateException;
import org.apache.kafka.common.errors.OutOfOrderSequenceException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ProducersTest {
  private final Logs logs;

  ProducersTest(@TempDir Path temp) {
    logs = new Logs(temp.resolve("d"));
  }

  private Appended idempotent(PartitionLog log, long producer, int epoch, int sequence) {
    MemoryRecords records = records(producer, epoch, sequence);
    return log.appendAsLeader(records, 0, AppendOrigin.CLIENT, logs.nowMs);
  }

  private MemoryRecords records(long producer, int epoch, int sequence) {
    return MemoryRecords.withIdempotentRecords(
        Compression.NONE,
        producer,
        (short) epoch,
        sequence,
        new SimpleRecord(logs.nowMs, Logs.bytes("k"), Logs.bytes("i" + sequence)));
  }

  /** After a clean start the first reader looks for the file, while the first marker comes. */
  @Test
  void anAbortIsToldThoughAReaderSawNoFileOfThem() {
    FailingDisk disk = new FailingDisk();
    logs.disk = disk;
    PartitionLog created = logs.create();
    Transactions.begin(logs, created, 1, 0);
    Transactions.begin(logs, created, 2, 0);
    PartitionLog log = logs.restart(created);
    disk.existsKind = ".txnindex";
    disk.onExists = () -> Transactions.end(logs, log, 1, false);
    log.abortedTransactions(0, 2);
    assertThat(disk.onExists).isNull();
    assertThat(log.abortedTransactions(0, 3)).extracting(a -> a.producerId()).containsExactly(1L);
    Transactions.end(logs, log, 2, false);
    assertThat(logs.restart(log).abortedTransactions(0, 4))
        .extracting(a -> a.producerId())
        .containsExactly(1L, 2L);
  }

  @Test
  void aRepeatedBatchIsAnsweredWithItsFirstOffsets() {
    PartitionLog log = logs.create();
    logs.append(log, "x");
    idempotent(log, 7, 0, 0);
    idempotent(log, 7, 0, 1);
    Appended again = idempotent(log, 7, 0, 0);
    assertThat(again.duplicate()).isTrue();
    assertThat(again.firstOffset()).isEqualTo(1);
    assertThat(log.logEndOffset()).isEqualTo(3);
  }

  @Test
  void duplicatesAreKnownAfterARestartACrashAndALossOfSnapshots() throws Exception {
    logs.segmentBytes(200);
    PartitionLog log = logs.create();
    for (int i = 0; i < 9; i++) {
      idempotent(log, 7, 0, i);
    }
    log = logs.restart(log);
    assertThat(idempotent(log, 7, 0, 8).duplicate()).isTrue();
    log = logs.crash(log);
    assertThat(idempotent(log, 7, 0, 8).firstOffset()).isEqualTo(8);
    Path directory = log.path();
    log.directory().close();
    try (var files = Files.list(directory)) {
      for (Path file : files.filter(f -> f.toString().endsWith(".snapshot")).toList()) {
        Files.delete(file);
      }
    }
    log = logs.reopen();
    assertThat(idempotent(log, 7, 0, 8).duplicate()).isTrue();
    assertThat(idempotent(log, 7, 0, 9).firstOffset()).isEqualTo(9);
  }

  /** As a follower does whenever its leader changes, while its producers send again. */
  @Test
  void aCutReadsLittleAgainAndKnowsTheLastFiveOfEach() throws Exception {
    PartitionLog log = logs.create();
    int stretch = 4096;
    for (int i = 0; i < 4 * stretch + 3; i++) {
      idempotent(log, 7, 0, i);
    }
    assertThat(snapshots(log)).containsExactly(2L * stretch, 3L * stretch, 4L * stretch);
    log.truncateTo(4L * stretch + 2);
    assertThat(snapshots(log)).containsExactly(2L * stretch, 3L * stretch);
    for (int i = 4 * stretch - 3; i < 4 * stretch + 2; i++) {
      assertThat(idempotent(log, 7, 0, i).duplicate()).as("batch %d", i).isTrue();
    }
    assertThat(idempotent(log, 7, 0, 4 * stretch + 2).duplicate()).isFalse();
    for (int i = 4 * stretch + 3; i < 9 * stretch; i++) {
      idempotent(log, 7, 0, i);
    }
    assertThat(snapshots(log)).hasSize(3);
    log = logs.crash(log);
    assertThat(idempotent(log, 7, 0, 9 * stretch - 1).duplicate()).isTrue();
  }

  /** The only snapshot that is there knows one batch of each. */
  @Test
  void aCutBehindTheFirstStretchKnowsTheLastFiveToo() throws Exception {
    PartitionLog log = logs.create();
    int stretch = 4096;
    for (int i = 0; i < stretch + 3; i++) {
      idempotent(log, 7, 0, i);
    }
    assertThat(snapshots(log)).containsExactly((long) stretch);
    log.truncateTo(stretch + 2);
    assertThat(snapshots(log)).isEmpty();
    for (int i = stretch - 3; i < stretch + 2; i++) {
      assertThat(idempotent(log, 7, 0, i).duplicate()).as("batch %d", i).isTrue();
    }
    assertThat(idempotent(log, 7, 0, stretch + 2).duplicate()).isFalse();
  }

  /** It writes a file, which may take its time. */
  @Test
  void theAppendThatMakesASnapshotDueIsNotInline() {
    PartitionLog log = logs.create();
    int stretch = 4096;
    for (int i = 0; i < stretch; i++) {
      logs.append(log, "x");
    }
    MemoryRecords plain = logs.records(Compression.NONE, "x");
    assertThat(log.appendsInline(plain, 0, logs.nowMs)).as("there is no producer").isTrue();
    assertThat(log.appendsInline(records(7, 0, 0), 0, logs.nowMs)).as("the first").isFalse();
    idempotent(log, 7, 0, 0);
    for (int i = 1; i < stretch; i++) {
      assertThat(log.appendsInline(records(7, 0, i), 0, logs.nowMs)).as("batch %d", i).isTrue();
      idempotent(log, 7, 0, i);
    }
    assertThat(log.appendsInline(records(7, 0, stretch), 0, logs.nowMs)).isFalse();
    assertThat(log.appendsInline(plain, 0, logs.nowMs)).isFalse();
    idempotent(log, 7, 0, stretch);
    assertThat(log.appendsInline(records(7, 0, stretch + 1), 0, logs.nowMs)).isTrue();
  }

  private static List<Long> snapshots(PartitionLog log) throws IOException {
    try (Stream<Path> files = Files.list(log.path())) {
      return files
          .map(file -> file.getFileName().toString())
          .filter(name -> name.endsWith(".snapshot"))
          .map(name -> Long.parseLong(name.substring(0, name.length() - ".snapshot".length())))
          .sorted()
          .toList();
    }
  }

  @Test
  void gapsAndOldEpochsAreRefused() {
    PartitionLog log = logs.create();
    idempotent(log, 7, 1, 0);
    assertThatThrownBy(() -> idempotent(log, 7, 1, 2))
        .isInstanceOf(OutOfOrderSequenceException.class);
    assertThatThrownBy(() -> idempotent(log, 7, 0, 1))
        .isInstanceOf(InvalidProducerEpochException.class);
    assertThat(log.logEndOffset()).isEqualTo(1);
    assertThat(idempotent(log, 7, 1, 1).firstOffset()).isEqualTo(1);
  }

  @Test
  void anOpenTransactionHoldsTheStableOffsetUntilItsMarkerIsReplicated() {
    PartitionLog log = logs.create();
    logs.append(log, "a");
    Transactions.begin(logs, log, 5, 0);
    logs.append(log, "b");
    assertThat(log.firstUnstableOffset(3)).hasValue(1);
    Transactions.end(logs, log, 5, true);
    assertThat(log.firstUnstableOffset(3)).as("marker above high watermark").hasValue(1);
    assertThat(log.firstUnstableOffset(4)).isEmpty();
    assertThat(log.abortedTransactions(0, 4)).isEmpty();
  }

  /** The third transaction is open where the append ends, above the end of the second. */
  @Test
  void whoFollowsListsBothOfOneProducersThatCameAtOnce(@TempDir Path other) {
    PartitionLog leader = logs.create();
    Transactions.write(logs, leader, 5, 0, false);
    Transactions.write(logs, leader, 5, 1, false);
    Transactions.begin(logs, leader, 6, 0);
    Logs others = new Logs(other.resolve("d"));
    PartitionLog follower = others.create();
    try (LogRead all = leader.read(0, 1 << 20, leader.logEndOffset(), true)) {
      follower.appendAsFollower(all.toMemory(), 0);
    }
    assertThat(follower.abortedTransactions(0, 4)).hasSize(2);
    assertThat(others.crash(follower).abortedTransactions(0, 4)).hasSize(2);
  }

  @Test
  void abortedTransactionsAreListedAcrossSegmentsCrashesAndCuts() {
    logs.segmentBytes(250);
    PartitionLog log = logs.create();
    Transactions.begin(logs, log, 5, 0);
    for (int i = 0; i < 5; i++) {
      logs.append(log, "value" + i);
    }
    Transactions.end(logs, log, 5, false);
    for (int i = 0; i < 7; i++) {
      logs.append(log, "value" + i);
    }
    assertThat(log.abortedTransactions(0, 3)).hasSize(1);
    assertThat(log.abortedTransactions(7, 12)).isEmpty();
    List<SealedSegment> sealed = log.sealedSegments(0, log.logEndOffset(), 100);
    assertThat(sealed.get(0).abortedTransactions()).hasSize(1);
    assertThat(sealed).anyMatch(s -> s.baseOffset() > 6);
    assertThat(sealed).allMatch(s -> s.abortedTransactions().isEmpty() == (s.baseOffset() > 6));

    log = logs.crash(log);
    assertThat(log.abortedTransactions(0, 3))
        .singleElement()
        .satisfies(t -> assertThat(t.firstOffset()).isZero());
    assertThat(log.firstUnstableOffset(14)).isEmpty();
    log.truncateTo(6);
    assertThat(log.abortedTransactions(0, 6)).isEmpty();
    assertThat(log.firstUnstableOffset(6)).hasValue(0);
  }

  @Test
  void aTransactionThatNobodyVerifiedIsRefused() {
    PartitionLog log = logs.create();
    MemoryRecords records =
        MemoryRecords.withTransactionalRecords(
            Compression.NONE, 5, (short) 0, 0, new SimpleRecord(Logs.bytes("a")));
    assertThatThrownBy(() -> log.appendAsLeader(records, 0, AppendOrigin.CLIENT, logs.nowMs))
        .isInstanceOf(InvalidTxnStateException.class);
  }
}

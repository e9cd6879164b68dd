package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.OptionalInt;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Transactions whose markers are written by hand. */
class ReadCommittedTest {
  @TempDir Path dir;
  private final Rig rig = new Rig();
  private Partition partition;

  @BeforeEach
  void start() {
    rig.start(dir);
    partition = rig.lead(0);
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  @Test
  void anOpenTransactionHoldsTheLastStableOffsetBack() {
    plain();
    transactional(7);
    plain();
    assertThat(partition.highWatermark()).isEqualTo(3);
    assertThat(partition.lastStableOffset()).isEqualTo(1);
    assertThat(end(0, FetchIsolation.TXN_COMMITTED)).isEqualTo(1);
    assertThat(end(0, FetchIsolation.HIGH_WATERMARK)).isEqualTo(3);
    assertThat(latest(FetchIsolation.TXN_COMMITTED)).isEqualTo(1);
    assertThat(latest(FetchIsolation.HIGH_WATERMARK)).isEqualTo(3);

    marker(7, ControlRecordType.COMMIT);
    assertThat(partition.lastStableOffset()).isEqualTo(4);
    assertThat(latest(FetchIsolation.TXN_COMMITTED)).isEqualTo(4);
    assertThat(partition.log().abortedTransactions(0, 4)).isEmpty();
  }

  @Test
  void anAbortedTransactionIsNamedToThoseWhoReadAcrossIt() {
    transactional(7);
    transactional(8);
    marker(7, ControlRecordType.ABORT);
    assertThat(partition.lastStableOffset()).as("8 is open").isEqualTo(1);
    marker(8, ControlRecordType.COMMIT);
    assertThat(partition.lastStableOffset()).isEqualTo(4);
    assertThat(partition.log().abortedTransactions(0, 4))
        .singleElement()
        .satisfies(
            aborted -> {
              assertThat(aborted.producerId()).isEqualTo(7);
              assertThat(aborted.firstOffset()).isZero();
            });
  }

  @Test
  void aMarkerAboveTheHighWatermarkDoesNotYetEndATransaction() {
    partition = rig.lead(1, List.of(1, 2), List.of(1, 2));
    int epoch = partition.leaderEpoch();
    transactional(7);
    marker(7, ControlRecordType.COMMIT);
    rig.followerFetched(partition, 2, epoch, 1);
    assertThat(partition.highWatermark()).isEqualTo(1);
    assertThat(partition.lastStableOffset()).isZero();
    rig.followerFetched(partition, 2, epoch, 2);
    assertThat(partition.lastStableOffset()).isEqualTo(2);
  }

  @Test
  void aWaitingReaderIsToldWhenATransactionEnds() {
    transactional(7);
    int[] told = new int[1];
    partition.watch((p, wakes) -> told[0]++);
    marker(7, ControlRecordType.COMMIT);
    assertThat(told[0]).isPositive();
  }

  private void plain() {
    partition.append(rig.records("p"), (short) 1).written().join();
  }

  private void transactional(long producer) {
    VerificationGuard guard = partition.log().beginVerification(producer, 0, (short) 0, false);
    MemoryRecords records =
        MemoryRecords.withTransactionalRecords(
            Compression.NONE,
            producer,
            (short) 0,
            0,
            new SimpleRecord(rig.nowMs, null, "t".getBytes(StandardCharsets.UTF_8)));
    partition.appendNow(records, new AppendTerms(-1, AppendOrigin.CLIENT, guard, (short) -1));
  }

  private void marker(long producer, ControlRecordType type) {
    MemoryRecords marker =
        MemoryRecords.withEndTransactionMarker(
            rig.nowMs, producer, (short) 0, new EndTransactionMarker(type, 0));
    partition.appendNow(
        marker,
        new AppendTerms(-1, AppendOrigin.COORDINATOR, VerificationGuard.SENTINEL, (short) 0));
  }

  private long latest(FetchIsolation isolation) {
    return partition
        .offsetFor(ListOffsetsRequest.LATEST_TIMESTAMP, isolation, OptionalInt.empty())
        .join()
        .offset();
  }

  /** Offset after the last batch that such a reader is given. */
  private long end(long offset, FetchIsolation isolation) {
    PartitionRead read =
        partition.read(new ReadRequest(offset, 1 << 20, true, OptionalInt.empty(), isolation, "r"));
    try (var hot = ((PartitionRead.Hot) read).read()) {
      return hot.nextOffset();
    }
  }
}

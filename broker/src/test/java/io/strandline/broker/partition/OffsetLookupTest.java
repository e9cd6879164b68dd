package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.replay.Replay.TierRange;
import io.strandline.replay.Replay.TimestampedOffset;
import io.strandline.replay.ReplayException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.errors.OffsetNotAvailableException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class OffsetLookupTest {
  @TempDir Path dir;
  private final Rig rig = new Rig();
  private Partition partition;
  private long t0;

  @BeforeEach
  void start() {
    rig.start(dir);
    partition = rig.lead(0);
    t0 = rig.nowMs;
    for (int i = 0; i < 4; i++) {
      rig.nowMs = t0 + 10L * i;
      partition.append(rig.records("v" + i), (short) 1).written().join();
    }
  }

  @AfterEach
  void stop() {
    rig.close();
  }

  /** As if all below were in the tier and released here. */
  private void onlyTieredBelow(long offset) {
    partition.log().truncateFullyAndStartAt(offset, 0);
    rig.nowMs = t0 + 100;
    partition.append(rig.records("new"), (short) 1).written().join();
  }

  @Test
  void namedOffsets() {
    int epoch = partition.leaderEpoch();
    partition.deleteRecords(1).join();
    assertThat(find(ListOffsetsRequest.EARLIEST_TIMESTAMP))
        .isEqualTo(new FoundOffset(1, -1, OptionalInt.of(epoch)));
    assertThat(find(ListOffsetsRequest.LATEST_TIMESTAMP))
        .isEqualTo(new FoundOffset(4, -1, OptionalInt.of(epoch)));
    assertThat(find(ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP).offset()).isEqualTo(1);
    assertThat(find(ListOffsetsRequest.MAX_TIMESTAMP))
        .isEqualTo(new FoundOffset(3, t0 + 30, OptionalInt.of(epoch)));
    assertThat(find(ListOffsetsRequest.LATEST_TIERED_TIMESTAMP)).isEqualTo(FoundOffset.NONE);
    assertThatThrownBy(() -> find(-100)).hasCauseInstanceOf(UnsupportedVersionException.class);
  }

  @Test
  void namesOfTheTier() {
    rig.history.range = new TierRange(0, 3);
    assertThat(find(ListOffsetsRequest.LATEST_TIERED_TIMESTAMP).offset()).isEqualTo(2);
    assertThat(find(ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP).offset()).isEqualTo(3);
  }

  @Test
  void nothingIsPendingAtABrokerThatTiersNothing() {
    PartitionSettings on = PartitionSettings.defaults();
    rig.stop();
    rig.settings =
        new PartitionSettings(
            on.inlineBytes(),
            on.maintainMs(),
            on.highWatermarkMs(),
            on.retentionMs(),
            on.cleanMs(),
            on.internalBackupMs(),
            on.cleaner(),
            on.moveThreads(),
            on.moveBytesPerSecond(),
            false);
    rig.start(dir);
    partition = rig.lead(0);
    for (TierRange range : List.of(new TierRange(0, 0), new TierRange(0, 3))) {
      rig.history.range = range;
      assertThat(find(ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP))
          .isEqualTo(FoundOffset.NONE);
    }
  }

  @Test
  void theHotLogAloneIsAskedWhileItHoldsAll() {
    assertThat(find(t0 + 11).offset()).isEqualTo(2);
    assertThat(find(t0 + 10))
        .isEqualTo(new FoundOffset(1, t0 + 10, OptionalInt.of(partition.leaderEpoch())));
    assertThat(find(t0 + 31)).isEqualTo(FoundOffset.NONE);
    assertThat(rig.history.times).isEmpty();
  }

  @Test
  void theTierComesFirstAndIsToldHowFarItReaches() {
    onlyTieredBelow(4);
    rig.history.found = Optional.of(new TimestampedOffset(2, t0 + 20, 1));
    assertThat(find(t0 + 15)).isEqualTo(new FoundOffset(2, t0 + 20, OptionalInt.of(1)));
    assertThat(rig.history.times).containsExactly(new HistoryFake.TimeAsked(0, 4, t0 + 15));
  }

  @Test
  void whatTheTierDoesNotHaveTheHotLogMay() {
    onlyTieredBelow(4);
    assertThat(find(t0 + 50).offset()).isEqualTo(4);
    assertThat(find(t0 + 101)).isEqualTo(FoundOffset.NONE);
  }

  @Test
  void whatLiesAboveTheHighWatermarkIsNotFound() {
    Partition behind = rig.lead(1, List.of(1, 2), List.of(1, 2));
    behind.append(rig.records("x"), (short) 1).written().join();
    assertThat(behind.offsetFor(t0, FetchIsolation.HIGH_WATERMARK, OptionalInt.empty()).join())
        .isEqualTo(FoundOffset.NONE);
  }

  @Test
  void theLatestRecordMayLieInEither() {
    onlyTieredBelow(4);
    int epoch = partition.leaderEpoch();
    FoundOffset local = new FoundOffset(4, t0 + 100, OptionalInt.of(epoch));
    assertThat(find(ListOffsetsRequest.MAX_TIMESTAMP)).isEqualTo(local);
    assertThat(rig.history.times).containsExactly(new HistoryFake.TimeAsked(0, 4, t0 + 100));
    rig.history.found = Optional.of(new TimestampedOffset(2, t0 + 99, 1));
    assertThat(find(ListOffsetsRequest.MAX_TIMESTAMP)).isEqualTo(local);
    rig.history.found = Optional.of(new TimestampedOffset(2, t0 + 100, 1));
    assertThat(find(ListOffsetsRequest.MAX_TIMESTAMP).offset()).as("first of equals").isEqualTo(2);
    rig.history.found = Optional.of(new TimestampedOffset(3, t0 + 500, 1));
    assertThat(find(ListOffsetsRequest.MAX_TIMESTAMP))
        .isEqualTo(new FoundOffset(3, t0 + 500, OptionalInt.of(1)));
  }

  @Test
  void theLatestRecordIsOneThatCanBeRead() {
    rig.nowMs = t0 + 5;
    partition.append(rig.records("late"), (short) 1).written().join();
    partition.deleteRecords(4).join();
    assertThat(find(ListOffsetsRequest.MAX_TIMESTAMP))
        .as("the segment's largest is below the log start")
        .isEqualTo(new FoundOffset(4, t0 + 5, OptionalInt.of(partition.leaderEpoch())));
    Partition waiting = rig.lead(1, List.of(1, 2), List.of(1, 2));
    waiting.append(rig.records("x"), (short) 1).written().join();
    assertThat(
            waiting
                .offsetFor(
                    ListOffsetsRequest.MAX_TIMESTAMP,
                    FetchIsolation.HIGH_WATERMARK,
                    OptionalInt.empty())
                .join())
        .isEqualTo(FoundOffset.NONE);
  }

  /** KIP-207: what a client has seen must not seem to be gone after an election. */
  @Test
  void aNewLeaderSaysNothingOfTheEndBeforeItsEpochIsAcknowledged() {
    Partition behind = rig.lead(1, List.of(1, 2), List.of(1, 2));
    behind.append(rig.records("x"), (short) 1).written().join();
    behind = rig.lead(1, List.of(1, 2), List.of(1, 2));
    Partition leader = behind;
    for (long asked : new long[] {ListOffsetsRequest.LATEST_TIMESTAMP, t0 + 1_000}) {
      assertThat(leader.offsetFor(asked, FetchIsolation.HIGH_WATERMARK, OptionalInt.empty()))
          .isCompletedExceptionally()
          .failsWithin(java.time.Duration.ZERO)
          .withThrowableThat()
          .withCauseInstanceOf(OffsetNotAvailableException.class);
    }
    assertThat(
            leader
                .offsetFor(
                    ListOffsetsRequest.EARLIEST_TIMESTAMP,
                    FetchIsolation.HIGH_WATERMARK,
                    OptionalInt.empty())
                .join()
                .offset())
        .isZero();
  }

  @Test
  void belowTheLocalStartReadsGoToTheTier() {
    onlyTieredBelow(4);
    PartitionRead read =
        partition.read(
            new ReadRequest(1, 100, true, OptionalInt.empty(), FetchIsolation.TXN_COMMITTED, "r"));
    assertThat(read).isInstanceOf(PartitionRead.Cold.class);
    assertThat(rig.history.reads)
        .singleElement()
        .satisfies(
            asked -> {
              assertThat(asked.offset()).isEqualTo(1);
              assertThat(asked.endOffset()).isEqualTo(5);
              assertThat(asked.abortedTransactions()).isTrue();
            });
  }

  @Test
  void whatTheTierMissesOfTheLogIsLostAndNotOutOfRange() {
    onlyTieredBelow(4);
    assertThat(kindOfFailure(1, 0)).isEqualTo(ReplayException.Kind.CORRUPT);
    assertThat(kindOfFailure(1, 2))
        .as("retention moved the start meanwhile")
        .isEqualTo(ReplayException.Kind.OUT_OF_RANGE);
  }

  /** After a failover or a crash a log start may be older than the tier's. */
  @Test
  void aLogStartThatTheTierHasPassedIsLearntFromIt() {
    onlyTieredBelow(4);
    rig.history.range = new TierRange(3, 4);
    assertThat(kindOfFailure(3, 0)).isEqualTo(ReplayException.Kind.CORRUPT);
    assertThat(kindOfFailure(2, 0)).isEqualTo(ReplayException.Kind.OUT_OF_RANGE);
    assertThat(partition.logStartOffset()).isEqualTo(3);
    assertThat(find(ListOffsetsRequest.EARLIEST_TIMESTAMP).offset()).isEqualTo(3);
  }

  private ReplayException.Kind kindOfFailure(long offset, long startMeanwhile) {
    rig.history.read = new CompletableFuture<>();
    PartitionRead read =
        partition.read(
            new ReadRequest(
                offset, 100, true, OptionalInt.empty(), FetchIsolation.HIGH_WATERMARK, "r"));
    partition.log().advanceLogStart(startMeanwhile);
    rig.history.read.completeExceptionally(
        new ReplayException(ReplayException.Kind.OUT_OF_RANGE, "not here", null));
    Throwable failure = ((PartitionRead.Cold) read).read().handle((got, thrown) -> thrown).join();
    return ((ReplayException) (failure instanceof ReplayException ? failure : failure.getCause()))
        .kind();
  }

  private FoundOffset find(long timestampMs) {
    return partition
        .offsetFor(timestampMs, FetchIsolation.HIGH_WATERMARK, OptionalInt.empty())
        .join();
  }
}

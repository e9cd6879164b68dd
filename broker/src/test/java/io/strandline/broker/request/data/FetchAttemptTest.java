package io.strandline.broker.request.data;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.replica.TierMark;
import io.strandline.broker.request.Reply;
import io.strandline.replay.ReplayException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.message.FetchResponseData.FetchableTopicResponse;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.requests.FetchMetadata;
import org.apache.kafka.common.requests.FetchResponse;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Single fetches: what wakes them, what bounds them, what they let go of. */
class FetchAttemptTest {
  @TempDir Path dir;
  private DataRig rig;

  @BeforeEach
  void start() throws Exception {
    rig = new DataRig(dir);
  }

  private static Map<Integer, PartitionData> parts(FetchResponse response) {
    Map<Integer, PartitionData> parts = new LinkedHashMap<>();
    for (FetchableTopicResponse topic : response.data().responses()) {
      topic.partitions().forEach(part -> parts.put(part.partitionIndex(), part));
    }
    return parts;
  }

  private static Map<Integer, PartitionData> parts(CompletableFuture<Reply> reply) {
    return parts(DataRig.response(reply));
  }

  private static int bytes(PartitionData part) {
    return FetchResponse.recordsSize(part);
  }

  private int size(int partition, long offset) {
    try (LogRead read = rig.partition(partition).log().read(offset, 0, Long.MAX_VALUE, true)) {
      return read.sizeBytes();
    }
  }

  // ---- what wakes it

  @Test
  void anAppendWakesIt() {
    rig.lead(0, 1);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).from(1, 0));
    assertThat(parked).isNotDone();
    rig.append(1, 10);
    assertThat(bytes(parts(parked).get(1))).isPositive();
    assertThat(rig.time.armed()).isZero();
  }

  @Test
  void whatIsNotBelowTheHighWatermarkDoesNot() {
    rig.leadWithFollower(0);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0));
    rig.append(0, 10);
    assertThat(parked).isNotDone();
    rig.lead(0); // alone in sync: the high watermark moves up
    assertThat(bytes(parts(parked).get(0))).isPositive();
  }

  @Test
  void theEndOfLeadershipWakesIt() {
    rig.lead(0);
    int epoch = rig.partition(0).leaderEpoch();
    CompletableFuture<Reply> parked = rig.fetch(new Ask().believing(epoch).from(0, 0));
    rig.follow(0);
    assertThat(parts(parked).get(0).errorCode()).isEqualTo(Errors.FENCED_LEADER_EPOCH.code());
  }

  @Test
  void whoBelievesInNoEpochGoesOnAtTheFollower() {
    rig.lead(0);
    rig.append(0, 200);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 1));
    rig.follow(0);
    assertThat(parked).isNotDone();
    assertThat(bytes(parts(rig.fetch(new Ask().from(0, 0))).get(0))).isPositive();
  }

  @Test
  void timeWakesIt() {
    rig.lead(0);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).waitMs(500));
    rig.time.pass(499);
    assertThat(parked).isNotDone();
    rig.time.pass(1);
    assertThat(bytes(parts(parked).get(0))).isZero();
  }

  @Test
  void itWaitsForMinBytesAndAnswersWithAllThatCame() {
    rig.lead(0, 1);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).from(1, 0).minBytes(400));
    rig.append(0, 200);
    assertThat(parked).isNotDone();
    rig.append(1, 200);
    assertThat(bytes(parts(parked).get(0))).isPositive();
    assertThat(bytes(parts(parked).get(1))).isPositive();
  }

  @Test
  void aTopicThatAppearsIsServedByTheNextFetchOfTheSession() {
    CompletableFuture<Reply> first = rig.fetch(new Ask().from(0, 0).session(0, 0));
    assertThat(parts(first).get(0).errorCode()).isEqualTo(Errors.UNKNOWN_TOPIC_ID.code());
    rig.lead(0);
    rig.append(0, 10);
    int session = DataRig.response(first).sessionId();
    Map<Integer, PartitionData> second = parts(rig.fetch(new Ask().session(session, 1)));
    assertThat(bytes(second.get(0))).isPositive();
  }

  @Test
  void theLastFetchOfASessionHasNothingToWaitFor() {
    rig.lead(0);
    CompletableFuture<Reply> first = rig.fetch(new Ask().from(0, 0).session(0, 0).waitMs(0));
    int session = DataRig.response(first).sessionId();
    assertThat(rig.fetch(new Ask().session(session, FetchMetadata.FINAL_EPOCH))).isDone();
    assertThat(rig.time.armed()).isZero();
  }

  // ---- where it is read

  private static int chosen(PartitionData part) {
    return part.errorCode() == Errors.NONE.code() ? part.preferredReadReplica() : -2;
  }

  /** A selector of one's own is asked for every client, whatever its rack. */
  @Test
  void onlyAReplicaThatHasWhatIsAskedForIsChosen() {
    rig.leadWithFollower(0);
    int epoch = rig.partition(0).leaderEpoch();
    List<Set<Integer>> offers = new ArrayList<>();
    rig.selector =
        Optional.of(
            (partition, client, choice) -> {
              offers.add(
                  choice.replicas().stream()
                      .map(one -> one.endpoint().id())
                      .collect(Collectors.toSet()));
              return choice.replicas().stream().filter(one -> one.endpoint().id() == 2).findFirst();
            });
    for (int i = 0; i < 3; i++) {
      rig.append(0, 10);
    }
    var unused = rig.fetch(new Ask().following(epoch).from(0, 2).waitMs(0));
    assertThat(chosen(parts(rig.fetch(new Ask().from(0, 0).waitMs(0))).get(0))).isEqualTo(2);
    assertThat(chosen(parts(rig.fetch(new Ask().from(0, 2).waitMs(0))).get(0))).isEqualTo(2);
    assertThat(chosen(parts(rig.fetch(new Ask().from(0, 3).waitMs(0))).get(0))).isEqualTo(-1);
    assertThat(offers).containsExactly(Set.of(1, 2), Set.of(1, 2), Set.of(1));
    assertThat(parts(rig.fetch(new Ask().from(0, 4).waitMs(0))).get(0).errorCode())
        .isEqualTo(Errors.OFFSET_OUT_OF_RANGE.code());
    assertThat(
            parts(rig.fetch(new Ask().believing(epoch - 1).from(0, 0).waitMs(0)))
                .get(0)
                .errorCode())
        .isEqualTo(Errors.FENCED_LEADER_EPOCH.code());
  }

  /** To a client the replica may be unknown or offline: nothing in what it asks for changes. */
  @Test
  void whoComesBackToTheSessionFromANearerReplicaIsToldAgain() {
    rig.leadWithFollower(0);
    int epoch = rig.partition(0).leaderEpoch();
    rig.append(0, 10);
    var unused = rig.fetch(new Ask().following(epoch).from(0, 1).waitMs(0));
    rig.selector =
        Optional.of(
            (partition, client, choice) ->
                choice.replicas().stream().filter(one -> one.endpoint().id() == 2).findFirst());
    CompletableFuture<Reply> first = rig.fetch(new Ask().from(0, 0).session(0, 0));
    assertThat(chosen(parts(first).get(0))).isEqualTo(2);
    int session = DataRig.response(first).sessionId();
    for (int round = 1; round <= 2; round++) {
      assertThat(chosen(parts(rig.fetch(new Ask().session(session, round))).get(0))).isEqualTo(2);
    }
    rig.selector = Optional.empty();
    assertThat(bytes(parts(rig.fetch(new Ask().session(session, 3))).get(0))).isPositive();
  }

  /** They know of no failed disks, and would take it for final. */
  @Test
  void oldClientsAreToldThatTheLeaderOfAFailedDirectoryIsGone() throws Exception {
    Path disk = Files.createDirectory(dir.resolve("disk"));
    rig = new DataRig(disk);
    rig.lead(0);
    rig.append(0, 10);
    Files.move(disk, dir.resolve("gone"));
    assertThat(rig.partition(0).step(rig.partition(0).log()::roll)).isCompletedExceptionally();
    for (int version : new int[] {4, 5, 6, 17}) {
      assertThat(
              parts(rig.fetch(new Ask().version(version).from(0, 0).waitMs(0))).get(0).errorCode())
          .isEqualTo(
              (version < 6 ? Errors.NOT_LEADER_OR_FOLLOWER : Errors.KAFKA_STORAGE_ERROR).code());
    }
  }

  /** Whatever their age: Kafka gives them what the producer chose. */
  @Test
  void oldClientsAreRefusedZstdWhereTheTierMayHaveChosenItAlone() {
    rig.lead(0);
    rig.partition(0).log().truncateFullyAndStartAt(1, 0);
    for (boolean recompressed : new boolean[] {false, true}) {
      rig.data = new DataConfig(1 << 20, 100, 120_000, 64, 10, topic -> recompressed);
      assertThat(ofHistoryInZstd(9))
          .isEqualTo(recompressed ? Errors.UNSUPPORTED_COMPRESSION_TYPE : Errors.NONE);
      assertThat(ofHistoryInZstd(10)).isEqualTo(Errors.NONE);
    }
  }

  private Errors ofHistoryInZstd(int version) {
    CompletableFuture<Reply> reply = rig.fetch(new Ask().version(version).from(0, 0));
    ByteBuffer batch =
        MemoryRecords.withRecords(Compression.zstd().build(), new SimpleRecord(new byte[200]))
            .buffer();
    rig.replay.asked.remove(0).answer().complete(new FakeReplay.Read(batch, 1));
    return Errors.forCode(parts(reply).get(0).errorCode());
  }

  // ---- what bounds it

  @Test
  void theFirstBatchComesHoweverLargeAndOthersAsFarAsTheyFit() {
    rig.lead(0, 1, 2);
    rig.append(0, 1000);
    rig.append(1, 10);
    rig.append(1, 10);
    rig.append(2, 10);
    Map<Integer, PartitionData> parts =
        parts(rig.fetch(new Ask().from(0, 0, 10).from(1, 0, 100).from(2, 0, 10)));
    assertThat(bytes(parts.get(0))).isEqualTo(size(0, 0));
    assertThat(bytes(parts.get(1))).isEqualTo(size(1, 0)).isLessThan(100);
    assertThat(bytes(parts.get(2))).isZero();
  }

  @Test
  void aClientWithRoomForNothingStillGetsOn() {
    rig.lead(0);
    rig.append(0, 10);
    assertThat(bytes(parts(rig.fetch(new Ask().from(0, 0).maxBytes(0))).get(0))).isPositive();
  }

  @Test
  void whatDidNotFitIsNotForgottenByTheSession() {
    rig.lead(0, 1);
    rig.append(0, 600);
    rig.append(1, 600);
    CompletableFuture<Reply> first =
        rig.fetch(new Ask().from(0, 0).from(1, 0).maxBytes(1000).session(0, 0));
    assertThat(bytes(parts(first).get(0))).isPositive();
    assertThat(bytes(parts(first).get(1))).isZero();
    int session = DataRig.response(first).sessionId();
    // The client got no records of partition 1 and so says nothing of it again.
    Map<Integer, PartitionData> second =
        parts(rig.fetch(new Ask().from(0, 1).maxBytes(1000).session(session, 1)));
    assertThat(bytes(second.get(1))).isPositive();
  }

  @Test
  void aPartitionThatIsAlwaysFullDoesNotStarveOthers() {
    int partitions = 5;
    rig.lead(0, 1, 2, 3, 4);
    int session = 0;
    long[] next = new long[partitions];
    Ask ask = new Ask().maxBytes(700).session(0, 0);
    for (int i = 0; i < partitions; i++) {
      ask.from(i, 0);
      rig.append(i, 300);
    }
    TreeSet<Integer> served = new TreeSet<>();
    for (int round = 1; round <= partitions; round++) {
      rig.append(0, 300);
      CompletableFuture<Reply> reply = rig.fetch(ask);
      session = DataRig.response(reply).sessionId();
      ask = new Ask().maxBytes(700).session(session, round);
      for (PartitionData part : parts(reply).values()) {
        int index = part.partitionIndex();
        if (bytes(part) > 0) {
          served.add(index);
          next[index] += bytes(part) / size(index, 0);
          ask.from(index, next[index]);
        }
      }
    }
    assertThat(served).containsExactly(0, 1, 2, 3, 4);
  }

  /** Else producers wait for the high watermark until others' records are through. */
  @Test
  void whereAFollowerIsIsLearntThoughThereIsNoRoomForItsRecords() {
    rig.leadWithFollower(0);
    rig.append(0, 1000);
    rig.leadWithFollower(1);
    rig.append(1, 10);
    rig.append(1, 10);
    Ask ask = new Ask().following(rig.partition(0).leaderEpoch());
    ask.believing(rig.partition(0).leaderEpoch()).from(0, 0);
    ask.following(rig.partition(1).leaderEpoch());
    ask.believing(rig.partition(1).leaderEpoch()).from(1, 1).maxBytes(1000).session(0, 0);
    Map<Integer, PartitionData> parts = parts(rig.fetch(ask));
    assertThat(bytes(parts.get(0))).isGreaterThanOrEqualTo(1000);
    assertThat(bytes(parts.get(1))).isZero();
    assertThat(rig.partition(1).highWatermark()).isEqualTo(1);
  }

  /** Counted as the leader's own, it would acknowledge what the follower has not. */
  @Test
  void whereAFollowerIsIsNotLearntWhereItsHistoryParts() {
    rig.leadWithFollower(0);
    rig.append(0, 1000);
    rig.leadWithFollower(1);
    int old = rig.partition(1).leaderEpoch();
    rig.append(1, 10);
    rig.leadWithFollower(1);
    rig.append(1, 10);
    rig.append(1, 10);
    Ask ask = new Ask().following(rig.partition(0).leaderEpoch()).maxBytes(1000);
    ask.believing(rig.partition(0).leaderEpoch()).from(0, 0);
    ask.following(old);
    ask.believing(rig.partition(1).leaderEpoch()).from(1, 2); // 1 is of another leader here
    assertThat(bytes(parts(rig.fetch(ask)).get(0))).isGreaterThanOrEqualTo(1000);
    assertThat(rig.partition(1).highWatermark()).isZero();
    ask = new Ask().following(rig.partition(0).leaderEpoch()).maxBytes(1000);
    ask.believing(rig.partition(0).leaderEpoch()).from(0, 0);
    ask.following(rig.partition(1).leaderEpoch());
    ask.believing(rig.partition(1).leaderEpoch()).from(1, 4); // 3 is the end here
    assertThat(bytes(parts(rig.fetch(ask)).get(0))).isGreaterThanOrEqualTo(1000);
    assertThat(rig.partition(1).highWatermark()).isZero();
  }

  // ---- the disk

  @Test
  void whatIsNotHotIsReadOnThePoolAndGivenBackOnceEvenWhenLate() {
    rig.lead(0);
    rig.append(0, 100);
    rig.append(0, (int) DataRig.HOT_WINDOW_BYTES);
    rig.holdReads = true;
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).waitMs(500));
    assertThat(parked).isNotDone();
    assertThat(rig.heldReads).hasSize(1);
    rig.time.pass(500);
    assertThat(bytes(parts(parked).get(0))).isZero();
    rig.heldReads.remove().run(); // late: nobody wants it any more
    CompletableFuture<Reply> second = rig.fetch(new Ask().from(0, 0));
    rig.heldReads.remove().run();
    assertThat(bytes(parts(second).get(0))).isPositive();
    second.join().done();
    second.join().done();
    assertThat(rig.partition(0).log().path()).isDirectory();
  }

  /** KIP-595: what it has of an old leader must go before anything is put behind it. */
  @Test
  void aFollowerThatDivergesIsToldSoWhateverComesWhileOthersAreRead() {
    rig.lead(0, 1);
    rig.append(0, 100);
    rig.append(0, (int) DataRig.HOT_WINDOW_BYTES);
    rig.append(1, 10);
    int old = rig.partition(1).leaderEpoch();
    rig.lead(1);
    rig.append(1, 10);
    rig.holdReads = true;
    Ask ask = new Ask().following(old);
    ask.believing(rig.partition(0).leaderEpoch()).from(0, 0, 1000);
    ask.believing(rig.partition(1).leaderEpoch()).from(1, 2); // 1 is of another leader here
    CompletableFuture<Reply> parked = rig.fetch(ask);
    assertThat(parked).isNotDone();
    rig.append(1, 10);
    rig.heldReads.remove().run();
    PartitionData diverging = parts(parked).get(1);
    assertThat(diverging.divergingEpoch().epoch()).isEqualTo(old);
    assertThat(diverging.divergingEpoch().endOffset()).isEqualTo(1);
    assertThat(bytes(diverging)).isZero();
  }

  /** Else whoever may connect fills the memory with numbers. */
  @Test
  void onlyOfBrokersItIsRememberedThatTheyFetched() {
    rig.lead(0);
    int epoch = rig.partition(0).leaderEpoch();
    DataRig.response(rig.fetch(new Ask().as(77).following(epoch).from(0, 0).waitMs(0)));
    assertThat(rig.replicas.times().lastMs(77)).isEqualTo(Long.MIN_VALUE);
    DataRig.response(rig.fetch(new Ask().as(2).following(epoch).from(0, 0).waitMs(0)));
    assertThat(rig.replicas.times().lastMs(2)).isPositive();
  }

  @Test
  void whatIsHotIsReadAtOnceWhicheverSegmentHasIt() {
    rig.config.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "300");
    rig.lead(0);
    for (int i = 0; i < 6; i++) {
      rig.append(0, 100);
    }
    rig.holdReads = true;
    assertThat(bytes(parts(rig.fetch(new Ask().from(0, 0))).get(0))).isPositive();
  }

  // ---- the tier

  private void tiered(int... partitions) {
    rig.lead(partitions);
    for (int partition : partitions) {
      rig.partition(partition).log().truncateFullyAndStartAt(1, 0);
      rig.append(partition, 200);
    }
  }

  private FakeReplay.Read give(int at, int sizeBytes) {
    return give(at, new FakeReplay.Read(sizeBytes));
  }

  private FakeReplay.Read give(int at, FakeReplay.Read read) {
    rig.replay.asked.get(at).answer().complete(read);
    return read;
  }

  @Test
  void coldPartitionsAreAskedForTogetherWithinTheClientsLimit() {
    tiered(0, 1, 2);
    CompletableFuture<Reply> parked =
        rig.fetch(
            new Ask().from(0, 0, 400).from(1, 0, 400).from(2, 0, 400).maxBytes(1000).minBytes(999));
    assertThat(rig.replay.asked)
        .extracting(asked -> asked.request().maxBytes())
        .containsExactly(400, 400, 200);
    assertThat(rig.replay.asked)
        .extracting(asked -> asked.request().atLeastOneBatch())
        .containsExactly(true, false, false);
    FakeReplay.Read first = give(0, 400);
    FakeReplay.Read second = give(1, 400);
    FakeReplay.Read third = give(2, 200);
    assertThat(parts(parked).values())
        .extracting(part -> bytes(part))
        .containsExactly(400, 400, 200);
    assertThat(first.closed + second.closed + third.closed).isZero();
    parked.join().done();
    parked.join().done();
    assertThat(first.closed).isOne();
    assertThat(second.closed).isOne();
    assertThat(third.closed).isOne();
  }

  @Test
  void whileTheTierIsSlowTheAnswerIsEmptyAtMaxWaitAndTheLateReadIsClosedOnce() {
    tiered(0);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).waitMs(500));
    rig.time.pass(500);
    assertThat(parts(parked).get(0).errorCode()).isZero();
    assertThat(bytes(parts(parked).get(0))).isZero();
    FakeReplay.Read late = give(0, 100);
    assertThat(late.closed).isOne();
    parked.join().done();
    assertThat(late.closed).isOne();
  }

  @Test
  void aReplayBrokerIsToldAtOnceThatItsRecordsLeftTheHotLog() {
    tiered(0);
    rig.partition(0).tiered(new TierMark(7, 1, 1));
    Map<Integer, PartitionData> told =
        parts(rig.fetch(new Ask().from(0, 0).wishingForTheTiersEnd()));
    assertThat(rig.replay.asked).isEmpty();
    assertThat(bytes(told.get(0))).isZero();
    assertThat(TierMark.in(told.get(0).unknownTaggedFields()))
        .hasValueSatisfying(mark -> assertThat(mark.endOffset()).isOne());
  }

  @Test
  void whatIsNotKnownToBeTieredIsReadForAReplayBroker() {
    tiered(0);
    rig.fetch(new Ask().from(0, 0).wishingForTheTiersEnd());
    assertThat(rig.replay.asked).hasSize(1);
  }

  @Test
  void aHotPartitionIsNotHeldUpByAColdOneForLong() {
    tiered(0);
    rig.lead(1);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0, 1000).from(1, 0).waitMs(500));
    rig.append(1, 10);
    assertThat(parked).isNotDone();
    rig.time.pass(rig.data.slowReadGraceMs());
    assertThat(bytes(parts(parked).get(1))).isPositive();
  }

  @Test
  void aClientThatDoesNotWaitStillGetsHistoryThatIsNear() {
    tiered(0);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).waitMs(0));
    assertThat(parked).isNotDone();
    give(0, 100);
    assertThat(bytes(parts(parked).get(0))).isEqualTo(100);
  }

  @Test
  void corruptHistoryEndsTheWaitAndAnUnavailableTierDoesNot() {
    tiered(0, 1);
    CompletableFuture<Reply> parked =
        rig.fetch(new Ask().from(0, 0, 100).from(1, 0, 100).waitMs(500));
    fail(0, ReplayException.Kind.UNAVAILABLE);
    assertThat(parked).isNotDone();
    fail(1, ReplayException.Kind.CORRUPT);
    assertThat(parts(parked).get(0).errorCode()).isEqualTo(Errors.KAFKA_STORAGE_ERROR.code());
    assertThat(parts(parked).get(1).errorCode()).isEqualTo(Errors.CORRUPT_MESSAGE.code());
  }

  private void fail(int at, ReplayException.Kind kind) {
    rig.replay
        .asked
        .get(at)
        .answer()
        .completeExceptionally(new ReplayException(kind, "for the test", null));
  }

  @Test
  void whereCompactionLeftNothingInTheTierTheHotLogGoesOn() {
    tiered(0);
    CompletableFuture<Reply> parked = rig.fetch(new Ask().from(0, 0).waitMs(500));
    FakeReplay.Read empty = give(0, new FakeReplay.Read(0, 1));
    assertThat(empty.closed).isOne();
    assertThat(bytes(parts(parked).get(0))).isPositive();
    assertThat(rig.replay.asked).hasSize(1);
  }

  @Test
  void anEmptyReadOfHistoryIsAskedForAgain() {
    tiered(0);
    CompletableFuture<Reply> first = rig.fetch(new Ask().from(0, 0).session(0, 0).waitMs(500));
    FakeReplay.Read empty = give(0, new FakeReplay.Read(0, 0));
    assertThat(empty.closed).isOne();
    rig.append(0, 10); // wakes it
    rig.time.pass(500);
    int session = DataRig.response(first).sessionId();
    int askedBefore = rig.replay.asked.size();
    CompletableFuture<Reply> second = rig.fetch(new Ask().session(session, 1));
    assertThat(rig.replay.asked.size()).isGreaterThan(askedBefore);
    assertThat(second).isNotDone();
    assertThat(empty.closed).isOne();
  }
}

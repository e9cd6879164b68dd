package io.strandline.broker.partition;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.log.nursery.OpenTransactions;
import io.strandline.broker.replica.FetchAnswer;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.TierMark;
import io.strandline.tiering.segment.EpochStart;
import java.io.File;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.ProducerStateEntry;
import org.apache.kafka.storage.internals.log.ProducerStateManager;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Partitions that this node leads and has no log of, though they are not new. */
@Timeout(60)
class LostLogTest {
  private static final TopicPartition FIRST = new TopicPartition(Rig.NAME, 0);

  @TempDir Path dir;

  @Test
  void nothingIsServedBeforeTheTierAnsweredAndThenTheLogGoesOnAtItsEnd() throws Exception {
    ByteBuffer snapshot = snapshotWithAnOpenTransaction();
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      assertThat(rig.partitions.refilling(FIRST)).isTrue();
      assertThatThrownBy(() -> rig.partitions.leaderOrThrow(FIRST))
          .isInstanceOf(NotLeaderOrFollowerException.class);
      tier.asked.get(0).completeExceptionally(new IllegalStateException("the store is away"));
      await(() -> tier.asked.size() == 2);
      assertThat(rig.announceLeaderless(0)).as("nobody leads meanwhile").isEmpty();
      assertThat(rig.announce(0)).as("a change meanwhile").isEmpty();
      tier.asked.get(1).complete(null);
      await(() -> tier.asked.size() == 3); // somebody else may have led, and tiered, in between
      assertThat(tier.epochs).containsExactly(1, 1, 2);
      assertThat(rig.partitions.refilling(FIRST)).isTrue();
      LogNursery nursery = tier.nurseries.get(2);
      nursery.bounds(5, 9);
      nursery.epochs(List.of(new EpochStart(0, 0), new EpochStart(1, 7)));
      nursery.producers(snapshot);
      nursery.ended(OpenTransactions.in(snapshot), open -> true, 2);
      tier.asked.get(2).complete(null);
      Partition partition = rig.partitions.leaderOrThrow(FIRST);
      assertThat(rig.partitions.refilling(FIRST)).isFalse();
      assertThat(partition.logStartOffset()).isEqualTo(5);
      assertThat(partition.localLogStartOffset()).isEqualTo(9);
      assertThat(partition.highWatermark()).as("behind its marker").isEqualTo(10);
      assertThat(partition.lastStableOffset()).as("the transaction has ended").isEqualTo(10);
      assertThat(partition.log().activeProducers())
          .singleElement()
          .matches(p -> p.producerId() == 7 && p.currentTxnStartOffset() == -1);
      long first =
          partition
              .appendNow(rig.records("next"), AppendTerms.of(-1, AppendOrigin.COORDINATOR))
              .firstOffset();
      assertThat(first).isEqualTo(10);
      assertThat(partition.log().epochs())
          .containsExactly(new EpochStart(0, 5), new EpochStart(1, 7), new EpochStart(2, 9));
      assertThat(tier.led).containsExactly(partition.id());
      rig.crash();
      rig.start(dir.resolve("a"));
      rig.hearAll();
      Partition again = rig.partitions.leaderOrThrow(FIRST);
      assertThat(again.logStartOffset()).isEqualTo(5);
      assertThat(again.localLogStartOffset()).isEqualTo(9);
      assertThat(again.logEndOffset()).isEqualTo(11);
      assertThat(again.lastStableOffset()).isEqualTo(11);
      assertThat(tier.asked).as("the log is there now").hasSize(3);
    }
  }

  @Test
  void aTierIsNotAskedForItsEndBeforeThisNodeLeads() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      tier.asked.clear();
      rig.crash();
      rig.start(dir.resolve("a"));
      assertThat(rig.announceLeaderless(0)).isEmpty();
      assertThat(rig.partitions.refilling(FIRST)).isTrue();
      assertThat(tier.asked).as("its last leader may tier on").isEmpty();
      assertThat(rig.announce(0)).isEmpty();
      assertThat(tier.asked).hasSize(1);
      tier.asked.get(0).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isZero();
    }
  }

  /**
   * Taken up without a claim, it would lack the markers of transactions that the tier's end cuts.
   */
  @Test
  void whatWasFoundBeforeNobodyLedIsLookedForAgainOnceSomebodyDoes() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      assertThat(rig.announceLeaderless(0)).isEmpty();
      tier.asked.get(0).complete(null);
      assertThat(tier.asked).as("nobody leads").hasSize(1);
      assertThat(rig.announce(0)).isEmpty();
      assertThat(tier.epochs).containsExactly(1, 2);
      tier.asked.get(1).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isZero();
    }
  }

  @Test
  void aNodeThatDiesOnTheWayBeginsAgain() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      tier.nurseries.get(0).bounds(3, 4);
      rig.crash();
      rig.start(dir.resolve("a"));
      rig.hearAll();
      assertThat(rig.partitions.hosted(FIRST)).as("half a log is none").isEmpty();
      assertThat(tier.asked).hasSize(2);
      Path half = tier.nurseries.get(0).path().resolve("00000000000000000003.log");
      await(() -> Files.notExists(half));
      tier.asked.get(1).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isZero();
    }
  }

  /**
   * Answers of its leader may say twice that it is far behind; the second must not cost what it has
   * copied since, for which it may have been let into the ISR.
   */
  @Test
  void aFollowerThatWasFarBehindBeginsAnewOnceAlone() throws Exception {
    FakeTier tier = new FakeTier();
    tier.begins = true;
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      Partition first = followFromTier(rig, tier, 0, 9);
      Partition other = followFromTier(rig, tier, 1, 9);
      behind(first);
      await(() -> tier.countOf(0) == 2);
      tier.nurseryOf(0).bounds(0, 20);
      tier.lastOf(0).complete(null);
      await(() -> rig.partitions.hosted(FIRST).isPresent());
      Partition renewed = rig.partitions.hosted(FIRST).orElseThrow();
      assertThat(renewed).isNotSameAs(first);
      assertThat(renewed.logEndOffset()).isEqualTo(20);
      behind(first); // was under way
      behind(other); // found after it, so when this has its turn the other has had it
      await(() -> tier.countOf(1) == 2);
      assertThat(rig.partitions.hosted(FIRST)).containsSame(renewed);
      assertThat(tier.countOf(0)).isEqualTo(2);
    }
  }

  /** So that a replica can be added while the store is away. */
  @Test
  void aFollowerCopiesAllFromItsLeaderWhileTheTierCannotBeAskedUnlessTheLeaderHasItThereAlone()
      throws Exception {
    FakeTier tier = new FakeTier();
    tier.begins = true;
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announceFollower(0)).isEmpty();
      tier.refuse(3);
      await(() -> rig.partitions.hosted(FIRST).filter(p -> p.leaderEpoch() >= 0).isPresent());
      Partition empty = rig.partitions.hosted(FIRST).orElseThrow();
      assertThat(empty.logEndOffset()).isZero();
      behind(empty, 0);
      await(() -> tier.asked.size() == 4);
      assertThat(rig.partitions.hosted(FIRST)).as("copying came to nothing").isEmpty();
      tier.refuse(3);
      await(() -> tier.asked.size() == 7);
      tier.nurseryOf(0).bounds(0, 20);
      tier.lastOf(0).complete(null);
      await(() -> rig.partitions.hosted(FIRST).isPresent());
      assertThat(rig.partitions.hosted(FIRST).orElseThrow().logEndOffset()).isEqualTo(20);
    }
  }

  /** It would be sent the history again and again, and keep nothing of it. */
  @Test
  void aFollowerGetsToTheTiersEndThoughNothingMoreIsCopiedThere() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      Partition empty = rig.follow(0);
      behind(empty, 0);
      await(() -> tier.asked.size() == 1);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      tier.nurseryOf(0).bounds(0, 20);
      tier.lastOf(0).complete(null);
      await(() -> rig.partitions.hosted(FIRST).isPresent());
      assertThat(rig.partitions.hosted(FIRST).orElseThrow().logEndOffset()).isEqualTo(20);
    }
  }

  @Test
  void aLeaderThatCannotAskTheTierDoesNotBeginEmpty() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      tier.refuse(3);
      await(() -> tier.asked.size() == 4);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
    }
  }

  /** Elected with an empty log, it would take records in below the history that is to be there. */
  @Test
  void aNewFollowerOfAnotherClustersHistoryBeginsWithItOrNotAtAll() throws Exception {
    FakeTier tier = new FakeTier();
    tier.foreign = true;
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announceNewFollower(0)).as("its leader may not have begun yet").isEmpty();
      assertThat(rig.partitions.refilling(FIRST)).isTrue();
      tier.refuse(3);
      await(() -> tier.asked.size() == 4);
      assertThat(rig.partitions.hosted(FIRST)).as("it is in sync").isEmpty();
      assertThat(rig.announce(0)).as("elected").isEmpty();
      tier.lastOf(0).complete(null); // what was found as a follower is not taken up
      await(() -> tier.asked.size() == 5);
      assertThat(tier.epochs).containsExactly(-1, -1, -1, -1, 1);
      tier.nurseryOf(0).bounds(0, 20);
      tier.lastOf(0).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isEqualTo(20);
    }
  }

  private static Partition followFromTier(Rig rig, FakeTier tier, int partition, long end)
      throws IOException {
    assertThat(rig.announceFollower(partition)).isEmpty();
    tier.nurseryOf(partition).bounds(0, end);
    tier.lastOf(partition).complete(null);
    return rig.partitions.hosted(new TopicPartition(Rig.NAME, partition)).orElseThrow();
  }

  /** Its leader says that all it has locally lies above what this replica asked for. */
  private static void behind(Partition follower) throws IOException {
    behind(follower, 9);
  }

  private static void behind(Partition follower, long offset) throws IOException {
    FetchPosition asked = new FetchPosition(follower.leaderEpoch(), offset, 0, OptionalInt.empty());
    follower
        .follower()
        .take(
            asked,
            new FetchAnswer(
                Errors.NONE,
                MemoryRecords.EMPTY,
                25,
                0,
                Optional.empty(),
                Optional.of(new TierMark(1, 20, 15))));
  }

  /** A kill between the directory and its metadata once cost all logs of the disk at this point. */
  @Test
  void aDirectoryThatADeadProcessWasMakingIsNotInTheWay() throws Exception {
    Path begun = Files.createDirectories(dir.resolve("a").resolve(Rig.NAME + "-0"));
    Files.writeString(begun.resolve("partition.metadata.tmp"), "version: 0\n");
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      tier.nurseries.get(0).bounds(3, 4);
      tier.asked.get(0).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isEqualTo(4);
      assertThat(rig.partitions.leaderOrThrow(FIRST).log().directory().online()).isTrue();
    }
  }

  @Test
  void aDirectoryOfSomebodyElseIsLeftAloneAndCostsNoOtherLogAndOnceItIsGoneTheLogIsMade()
      throws Exception {
    Path other = Files.createDirectories(dir.resolve("a").resolve(Rig.NAME + "-0"));
    Files.writeString(other.resolve("notes.txt"), "not a log");
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      tier.asked.get(0).complete(null);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      assertThat(rig.partitions.refilling(FIRST)).as("nobody has given it up").isTrue();
      assertThat(other.resolve("notes.txt")).exists();
      assertThat(rig.announce(1)).isEmpty();
      tier.lastOf(1).complete(null);
      TopicPartition second = new TopicPartition(Rig.NAME, 1);
      assertThat(rig.partitions.leaderOrThrow(second).log().directory().online()).isTrue();
      await(() -> tier.countOf(0) > 1);
      Files.delete(other.resolve("notes.txt"));
      Files.delete(other);
      tier.lastOf(0).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isZero();
      assertThat(rig.partitions.refilling(FIRST)).isFalse();
    }
  }

  @Test
  void aChangeThatComesBeforeItIsTakenUpFindsItStillLookedFor() throws Exception {
    Deque<Runnable> changes = new ArrayDeque<>();
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      rig.changes = changes::add;
      tier.asked.get(0).complete(null);
      assertThat(rig.announce(0)).isEmpty();
      runAll(changes);
      assertThat(rig.partitions.hosted(FIRST)).as("another may have led between").isEmpty();
      assertThat(rig.announce(0)).isEmpty();
      tier.asked.get(1).complete(null);
      runAll(changes);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      assertThat(tier.epochs).containsExactly(1, 2, 3);
      tier.asked.get(2).complete(null);
      rig.delete(0);
      runAll(changes);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      assertThat(rig.partitions.refilling(FIRST)).isFalse();
      assertThat(tier.deleted).containsExactly(new TopicIdPartition(Rig.TOPIC, FIRST));
    }
  }

  private static void runAll(Deque<Runnable> changes) {
    while (!changes.isEmpty()) {
      changes.remove().run();
    }
  }

  @Test
  void aTopicDeletedMeanwhileIsDeletedInTheTierToo() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announce(0)).isEmpty();
      rig.delete(0);
      assertThat(tier.deleted).containsExactly(new TopicIdPartition(Rig.TOPIC, FIRST));
      assertThat(tier.asked).hasSize(1);
      tier.asked.get(0).complete(null);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      try (Stream<Path> left = Files.list(dir.resolve("a"))) {
        assertThat(left.filter(Files::isDirectory)).isEmpty();
      }
    }
  }

  /** Directories are assigned at once, so that a topic's first word may be of its second state. */
  @Test
  void aPartitionThatIsNewAndChangedInOneStepTakesRecordsThoughTheStoreIsAway() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      assertThat(rig.announceNew(0, 1)).hasValueSatisfying(p -> assertThat(p.leads()).isTrue());
      assertThat(tier.asked).isEmpty();
      rig.crash();
      rig.start(dir.resolve("b"));
      rig.hearAll();
      assertThat(rig.partitions.hosted(FIRST)).as("its disk was replaced").isEmpty();
      assertThat(tier.asked).hasSize(1);
    }
  }

  /** Its log is here, and what the tier has is looked for beside. */
  @Test
  void aTopicDeletedWhileALeaderInDoubtLooksIntoTheTierIsLookedForNoMore() throws Exception {
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      rig.follow(0);
      rig.announceUnclean(0);
      assertThat(rig.partitions.refilling(FIRST)).isTrue();
      rig.delete(0);
      assertThat(rig.partitions.refilling(FIRST)).isFalse();
      tier.asked.get(0).complete(null);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      assertThat(tier.asked).hasSize(1);
    }
  }

  @Test
  void aLeaderInDoubtWhoseLogCannotBeMadeAnewIsLookedForAgain() throws Exception {
    Deque<Runnable> changes = new ArrayDeque<>();
    FakeTier tier = new FakeTier();
    try (Rig rig = new Rig()) {
      rig.tier = tier;
      rig.start(dir.resolve("a"));
      rig.follow(0);
      rig.announceUnclean(0);
      tier.nurseryOf(0).bounds(0, 20);
      rig.changes = changes::add;
      tier.lastOf(0).complete(null);
      changes.remove().run(); // the old log goes
      Path other = Files.createDirectories(dir.resolve("a").resolve(Rig.NAME + "-0"));
      Files.writeString(other.resolve("notes.txt"), "not a log");
      rig.changes = Runnable::run;
      runAll(changes);
      assertThat(rig.partitions.hosted(FIRST)).isEmpty();
      assertThat(rig.partitions.refilling(FIRST)).isTrue();
      await(() -> tier.countOf(0) > 1);
      Files.delete(other.resolve("notes.txt"));
      Files.delete(other);
      tier.nurseryOf(0).bounds(0, 20);
      tier.lastOf(0).complete(null);
      assertThat(rig.partitions.leaderOrThrow(FIRST).logEndOffset()).isEqualTo(20);
    }
  }

  private static ByteBuffer snapshotWithAnOpenTransaction() throws IOException {
    File file = File.createTempFile("producers", ".snapshot");
    ProducerStateEntry open =
        new ProducerStateEntry(7, (short) 0, 0, 1_700_000_000_000L, OptionalLong.of(6));
    ProducerStateManager.writeSnapshot(file, Map.of(7L, open), false);
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file.toPath()));
    Files.delete(file.toPath());
    return bytes;
  }

  private interface Condition {
    boolean met();
  }

  private static void await(Condition condition) {
    long deadline = System.nanoTime() + Duration.ofSeconds(30).toNanos();
    while (!condition.met()) {
      assertThat(System.nanoTime()).isLessThan(deadline);
      LockSupport.parkNanos(5_000_000);
    }
  }
}

package io.strandline.broker.replica;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.isr.IsrChange;
import io.strandline.broker.control.isr.IsrChange.Member;
import io.strandline.broker.replica.Followers.Proposal;
import java.time.Instant;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownLeaderEpochException;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.Test;

/** The rules of KIP-497, KIP-841, KIP-903 and KIP-966 as a leader keeps them; broker 1 leads. */
class FollowersTest {
  private static final int EPOCH = 5;
  private static final long BROKER_EPOCH = 77;
  private static final long LAG_MS = 30_000;

  private final Map<Integer, Long> registered = new HashMap<>(Map.of(2, 77L, 3, 77L));
  private final Replicas replicas =
      new Replicas(
          new InSync() {
            @Override
            public OptionalLong eligible(int broker) {
              Long epoch = registered.get(broker);
              return epoch == null ? OptionalLong.empty() : OptionalLong.of(epoch);
            }

            @Override
            public boolean alive(int broker) {
              return registered.containsKey(broker);
            }

            @Override
            public long brokerEpoch() {
              return 11;
            }

            @Override
            public CompletableFuture<IsrChange.Answer> change(IsrChange change) {
              throw new AssertionError("the owner sends");
            }
          },
          ReplicaSettings.defaults(),
          Alone.replicas(() -> Instant.ofEpochMilli(this.nowMs)).fetchers());
  private long nowMs = 1_000_000;

  @Test
  void theHighWatermarkIsTheLowestEndOfThoseInSync() {
    Followers followers = led(List.of(1, 2, 3), 0);
    assertThat(followers.highWatermark(10, 1, nowMs)).as("nobody has fetched").isNegative();
    fetched(followers, 2, 10, 10);
    fetched(followers, 3, 4, 10);
    assertThat(followers.highWatermark(10, 1, nowMs)).isEqualTo(4);
    fetched(followers, 3, 10, 10);
    assertThat(followers.highWatermark(10, 1, nowMs)).isEqualTo(10);
  }

  @Test
  void itStandsStillBelowMinInsyncReplicas() {
    Followers followers = led(List.of(1), 0);
    fetched(followers, 2, 0, 10);
    assertThat(followers.highWatermark(10, 2, nowMs)).isNegative();
    assertThat(followers.spareInSync(2)).isEqualTo(-1);
    assertThat(followers.spareInSync(9)).as("bound by the replicas there are").isEqualTo(-2);
  }

  @Test
  void oneThatIsBeingLetInCountsBeforeTheControllerAgrees() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 2, 10, 10);
    fetched(followers, 3, 10, 10);
    Proposal proposal = followers.expand(10).orElseThrow();
    assertThat(proposal.change().isr())
        .containsExactly(new Member(1, 11), new Member(2, 77), new Member(3, 77));
    nowMs += LAG_MS + 1; // so that it does not count for being nearly there
    fetched(followers, 2, 20, 20);
    assertThat(followers.highWatermark(20, 1, nowMs)).isEqualTo(10);
    assertThat(followers.expand(10)).as("one change at a time").isEmpty();

    assertThat(followers.refused(proposal, Errors.INELIGIBLE_REPLICA)).isFalse();
    assertThat(followers.highWatermark(20, 1, nowMs)).isEqualTo(20);
    assertThat(followers.expand(10)).as("not at once").isEmpty();
    assertThat(followers.hopeful(10)).as("looked at again").isTrue();
    assertThat(followers.shrink(20, nowMs)).isEmpty();
    assertThat(followers.expand(10)).isPresent();
  }

  @Test
  void oneThatIsBeingPutOutCountsUntilTheControllerAgrees() {
    Followers followers = led(List.of(1, 2, 3), 0);
    fetched(followers, 2, 10, 10);
    fetched(followers, 3, 10, 10);
    nowMs += LAG_MS + 1;
    fetched(followers, 2, 20, 20);
    Proposal proposal = followers.shrink(20, nowMs).orElseThrow();
    assertThat(proposal.change().isr()).containsExactly(new Member(1, 11), new Member(2, 77));
    assertThat(followers.highWatermark(20, 1, nowMs)).isEqualTo(10);
    assertThat(followers.accepted(proposal, new IsrChange.Answer(EPOCH, 1, List.of(1, 2))))
        .isTrue();
    assertThat(followers.highWatermark(20, 1, nowMs)).isEqualTo(20);
    assertThat(followers.state().isr()).containsExactly(1, 2);
  }

  @Test
  void itWaitsForOneThatIsNearlyThereOrItWouldNeverGetIn() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 2, 20, 20);
    fetched(followers, 3, 20, 20);
    fetched(followers, 2, 30, 30);
    assertThat(followers.highWatermark(30, 1, nowMs)).isEqualTo(20);
    registered.remove(3);
    assertThat(followers.highWatermark(30, 1, nowMs)).as("it may not get in").isEqualTo(30);
  }

  @Test
  void whoLacksTheStartOfThisEpochStaysOut() {
    Followers followers = led(List.of(1, 2), 15);
    fetched(followers, 2, 10, 20);
    fetched(followers, 3, 12, 20);
    assertThat(followers.expand(10)).as("it may lack committed records").isEmpty();
    assertThat(followers.hopeful(10)).isFalse();
    fetched(followers, 3, 15, 20);
    assertThat(followers.expand(10)).isPresent();
  }

  @Test
  void whoFetchedInAnEarlierLifeStaysOut() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 3, 10, 10);
    registered.put(3, BROKER_EPOCH + 1);
    assertThat(followers.expand(10)).isEmpty();
    assertThat(followers.hopeful(10)).as("looked at again").isTrue();
    followers.fetched(new FollowerFetch(3, BROKER_EPOCH + 1, EPOCH, 10, 0, nowMs), 10);
    assertThat(followers.expand(10)).isPresent();
  }

  /** Its disk may have failed, which its broker outlives. */
  @Test
  void whoWasPutOutStaysOutUntilItFetches() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 2, 10, 10);
    FollowerFetch onItsWay = new FollowerFetch(2, BROKER_EPOCH, EPOCH, 10, 0, nowMs);
    nowMs++;
    followers.learn(state(List.of(1), 1));
    assertThat(followers.expand(10)).isEmpty();
    followers.fetched(onItsWay, 10);
    assertThat(followers.expand(10)).as("it came before").isEmpty();
    assertThat(followers.highWatermark(11, 1, nowMs)).as("nobody waits for it").isEqualTo(11);
    nowMs++;
    fetched(followers, 2, 10, 10);
    assertThat(followers.expand(10)).isPresent();
  }

  @Test
  void whoseLeaderPutItOutStaysOutUntilItFetches() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 2, 10, 10);
    nowMs += LAG_MS + 1;
    Proposal proposal = followers.shrink(20, nowMs).orElseThrow();
    assertThat(followers.accepted(proposal, new IsrChange.Answer(EPOCH, 1, List.of(1)))).isTrue();
    assertThat(followers.expand(10)).as("the high watermark may not move").isEmpty();
    nowMs++;
    fetched(followers, 2, 10, 20);
    assertThat(followers.expand(10)).isPresent();
  }

  @Test
  void whoWasPutOutStaysOutInTheNextEpochOfItsLeader() {
    Followers before = led(List.of(1, 2), 0);
    fetched(before, 2, 10, 10);
    nowMs++;
    Followers now =
        new Followers(state(List.of(1), 1), new Followers.Leader(1, 10), replicas, before, nowMs);
    assertThat(now.expand(10)).isEmpty();
    Followers later =
        new Followers(state(List.of(1), 2), new Followers.Leader(1, 10), replicas, now, ++nowMs);
    assertThat(later.expand(10)).isEmpty();
    fetched(later, 2, 10, 10);
    assertThat(later.expand(10)).isPresent();
  }

  /** Taken away and given back in one step of the metadata, its log is a new one. */
  @Test
  void whoIsAddedAnewHasToFetch() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 3, 10, 10);
    nowMs++;
    followers.learn(state(List.of(1, 2), List.of(3), 2));
    assertThat(followers.expand(10)).isEmpty();
    nowMs++;
    fetched(followers, 3, 0, 10);
    assertThat(followers.expand(10)).isEmpty();
    fetched(followers, 3, 10, 10);
    assertThat(followers.expand(10)).isPresent();
  }

  @Test
  void whoWasPutOutIsSoughtEverMoreSeldomWhileItsBrokerFetches() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 2, 10, 10);
    assertThat(followers.seeks(nowMs)).as("in sync").isFalse();
    followers.learn(state(List.of(1), 1));
    nowMs += 100;
    assertThat(followers.seeks(nowMs)).as("its broker is away").isFalse();
    assertThat(followers.hopeful(10)).as("looked at again").isTrue();
    assertThat(replicas.times().fetched(2)).isEqualTo(nowMs);
    assertThat(followers.seeks(nowMs)).isTrue();
    assertThat(followers.seeks(nowMs + 99)).isFalse();
    assertThat(followers.seeks(nowMs + 100)).isTrue();
    assertThat(followers.seeks(nowMs + 299)).isFalse();
    assertThat(followers.seeks(nowMs + 300)).isTrue();
    fetched(followers, 2, 10, 10);
    assertThat(followers.seeks(nowMs + 10_000)).as("it was heard of").isFalse();
  }

  @Test
  void aQuietPartitionKeepsFollowersThatFetchOthers() {
    Followers followers = led(List.of(1, 2, 3), 0);
    fetched(followers, 2, 10, 10);
    fetched(followers, 3, 10, 10);
    nowMs += 10 * LAG_MS;
    assertThat(followers.shrink(10, nowMs)).as("all are at the end").isEmpty();
    assertThat(replicas.times().fetched(2)).isEqualTo(nowMs);
    followers.appended(10);
    assertThat(followers.shrink(11, nowMs).orElseThrow().change().isr())
        .as("3 has not fetched anything for long")
        .containsExactly(new Member(1, 11), new Member(2, 77));
  }

  @Test
  void whoKeepsPaceIsCaughtUpThoughNeverAtTheEnd() {
    Followers followers = led(List.of(1, 2), 0);
    long end = 10;
    for (int i = 0; i < 20; i++) {
      nowMs += LAG_MS / 2;
      fetched(followers, 2, end, end + 10); // the end of the time before
      end += 10;
      assertThat(followers.shrink(end, nowMs)).isEmpty();
    }
    nowMs += 2 * LAG_MS;
    assertThat(followers.shrink(end, nowMs)).isPresent();
  }

  @Test
  void aRefusalThatMetadataWillExplainKeepsTheStricterReading() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 2, 10, 10);
    fetched(followers, 3, 10, 10);
    Proposal proposal = followers.expand(10).orElseThrow();
    assertThat(followers.refused(proposal, Errors.INVALID_UPDATE_VERSION)).isFalse();
    assertThat(followers.expand(10)).isEmpty();
    followers.learn(state(List.of(1, 2), 9));
    assertThat(followers.expand(10)).isPresent();
    assertThat(followers.refused(proposal, Errors.UNKNOWN_SERVER_ERROR)).as("too late").isFalse();
  }

  @Test
  void whatCannotBeUnderstoodIsAskedAgain() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 3, 10, 10);
    Proposal proposal = followers.expand(10).orElseThrow();
    assertThat(followers.refused(proposal, Errors.NETWORK_EXCEPTION)).isTrue();
    assertThat(followers.accepted(proposal, new IsrChange.Answer(EPOCH - 1, 1, List.of(1))))
        .as("of another epoch")
        .isFalse();
    assertThat(followers.accepted(proposal, new IsrChange.Answer(EPOCH, 1, List.of(1, 2, 3))))
        .isTrue();
  }

  @Test
  void olderMetadataThanAnAnswerIsIgnored() {
    Followers followers = led(List.of(1, 2), 0);
    fetched(followers, 3, 10, 10);
    Proposal proposal = followers.expand(10).orElseThrow();
    followers.accepted(proposal, new IsrChange.Answer(EPOCH, 4, List.of(1, 2, 3)));
    followers.learn(state(List.of(1, 2), 3));
    assertThat(followers.state().isr()).containsExactly(1, 2, 3);
  }

  @Test
  void aStrangerIsTold() {
    Followers followers = led(List.of(1, 2), 0);
    assertThatThrownBy(() -> followers.requireReplica(new FollowerFetch(8, -1, EPOCH, 0, 0, nowMs)))
        .isInstanceOf(UnknownLeaderEpochException.class);
    assertThatThrownBy(() -> followers.requireReplica(new FollowerFetch(8, -1, -1, 0, 0, nowMs)))
        .isInstanceOf(NotLeaderOrFollowerException.class);
  }

  @Test
  void theLowWatermarkIsThatOfTheLivingReplicas() {
    Followers followers = led(List.of(1, 2, 3), 0);
    followers.fetched(new FollowerFetch(2, BROKER_EPOCH, EPOCH, 10, 7, nowMs), 10);
    followers.fetched(new FollowerFetch(3, BROKER_EPOCH, EPOCH, 10, 3, nowMs), 10);
    assertThat(followers.lowWatermark(9)).isEqualTo(3);
    registered.remove(3);
    assertThat(followers.lowWatermark(9)).isEqualTo(7);
  }

  @Test
  void aTierMarkSurvivesTheWire() {
    TierMark mark = new TierMark(3, Long.MAX_VALUE, 12);
    assertThat(TierMark.in(List.of(mark.encode()))).isEqualTo(Optional.of(mark));
    assertThat(TierMark.in(List.of())).isEmpty();
    var broken = mark.encode();
    broken.data()[0] = 9;
    assertThat(TierMark.in(List.of(broken))).as("of a format to come").isEmpty();
  }

  private Followers led(List<Integer> isr, long epochStart) {
    return new Followers(state(isr, 0), new Followers.Leader(1, epochStart), replicas, null, nowMs);
  }

  private void fetched(Followers followers, int replica, long offset, long leaderEnd) {
    followers.fetched(new FollowerFetch(replica, BROKER_EPOCH, EPOCH, offset, 0, nowMs), leaderEnd);
  }

  private static PartitionState state(List<Integer> isr, int partitionEpoch) {
    return state(isr, List.of(), partitionEpoch);
  }

  private static PartitionState state(List<Integer> isr, List<Integer> adding, int partitionEpoch) {
    return new PartitionState(
        new TopicIdPartition(new Uuid(1, 2), 0, "t"),
        1,
        EPOCH,
        partitionEpoch,
        List.of(1, 2, 3),
        isr,
        List.of(),
        adding,
        List.of(),
        DirectoryId.UNASSIGNED,
        false);
  }
}

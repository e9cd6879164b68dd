package io.strandline.tests.simulation;

import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.ReadRequest;
import io.strandline.broker.replica.FetchAnswer;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.Fetcher;
import io.strandline.broker.replica.FollowerFetch;
import io.strandline.broker.replica.Leader;
import io.strandline.replay.ReplayRead;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.FetchIsolation;
import org.jspecify.annotations.Nullable;

/**
 * Has the fetchers of one life do their rounds by halves, and answers those of others: what lies
 * between is the network's. A follower has one round under way at a time; what comes after it has
 * given it up, or twice, is not taken.
 */
final class SimulatedFetching implements Consumer<Fetcher> {
  private static final int PATIENCE_MS = 400;

  private final BrokerLife life;
  private final ReplicationWorld world;

  SimulatedFetching(BrokerLife life, ReplicationWorld world) {
    this.life = life;
    this.world = world;
  }

  @Override
  public void accept(Fetcher fetcher) {
    again(fetcher);
  }

  private void again(Fetcher fetcher) {
    int ms = world.slowly(2 + world.random.nextInt(50));
    var unused =
        life.process.schedule(
            () -> world.guard(life.disk, () -> round(fetcher)), ms, TimeUnit.MILLISECONDS);
  }

  private void round(Fetcher fetcher) {
    if (fetcher.closed()) {
      return;
    }
    Map<TopicIdPartition, FetchPosition> wanted = fetcher.wanted();
    FetchPosition position = wanted.get(SimulatedCluster.PARTITION);
    if (position == null) {
      again(fetcher);
      return;
    }
    CompletableFuture<Map<TopicIdPartition, FetchAnswer>> round = new CompletableFuture<>();
    BrokerLife leader = world.living(fetcher.broker());
    long brokerEpoch = life.view.brokerEpoch();
    if (leader != null) {
      world.network.send(
          life.id,
          leader.id,
          leader.process,
          () -> world.guard(leader.disk, () -> answer(leader, brokerEpoch, position, round)));
    }
    var unused =
        life.process.schedule(
            () -> {
              round.completeExceptionally(new IOException("no answer"));
            },
            leader == null ? 30 : PATIENCE_MS,
            TimeUnit.MILLISECONDS);
    var alsoUnused =
        round.whenComplete(
            (answers, failure) -> {
              world.guard(
                  life.disk,
                  () -> {
                    if (answers != null) {
                      fetcher.answered(wanted, answers);
                      life.partition().ifPresent(life.observer()::notBack);
                    } else {
                      fetcher.failed(wanted, new IOException(failure));
                    }
                  });
              again(fetcher);
            });
  }

  // ---- the leader's side, as a Fetch request is answered

  private void answer(
      BrokerLife leader,
      long brokerEpoch,
      FetchPosition position,
      CompletableFuture<Map<TopicIdPartition, FetchAnswer>> round) {
    var unused =
        answer(leader, brokerEpoch, position)
            .thenAccept(
                answer ->
                    world.guard(
                        leader.disk,
                        () ->
                            world.network.send(
                                leader.id,
                                life.id,
                                life.process,
                                () -> round.complete(Map.of(SimulatedCluster.PARTITION, answer)))));
  }

  private CompletableFuture<FetchAnswer> answer(
      BrokerLife leader, long brokerEpoch, FetchPosition position) {
    long arrivedMs = leader.partitions.followerFetched(life.id);
    try {
      Partition partition = leader.partitions.leaderOrThrow(SimulatedCluster.PARTITION);
      PartitionRead read =
          partition.readAsFollower(
              new ReadRequest(
                  position.offset(),
                  BrokerLife.REPLICATION.partitionBytes(),
                  true,
                  OptionalInt.of(position.leaderEpoch()),
                  FetchIsolation.LOG_END,
                  "follower"),
              new FollowerFetch(
                  life.id,
                  brokerEpoch,
                  position.leaderEpoch(),
                  position.offset(),
                  position.logStartOffset(),
                  arrivedMs),
              position.lastFetchedEpoch());
      return answer(partition, read).exceptionally(SimulatedFetching::refused);
    } catch (ApiException refused) {
      return CompletableFuture.completedFuture(refused(refused));
    }
  }

  private static CompletableFuture<FetchAnswer> answer(Partition partition, PartitionRead read) {
    if (read instanceof PartitionRead.Old old) {
      return old.read().thenCompose(found -> answer(partition, found));
    }
    if (read instanceof PartitionRead.Cold cold) {
      return cold.read().thenApply(found -> answer(partition, read, history(found), null));
    }
    if (read instanceof PartitionRead.Hot hot) {
      try (var records = hot.read()) {
        return CompletableFuture.completedFuture(answer(partition, read, records.toMemory(), null));
      }
    }
    return CompletableFuture.completedFuture(
        answer(partition, read, MemoryRecords.EMPTY, (PartitionRead.Diverging) read));
  }

  private static MemoryRecords history(ReplayRead read) {
    try (read) {
      return SimulatedReader.copied(read);
    }
  }

  private static FetchAnswer answer(
      Partition partition,
      PartitionRead read,
      MemoryRecords records,
      PartitionRead.@Nullable Diverging diverging) {
    return new FetchAnswer(
        Errors.NONE,
        records,
        read.marks().highWatermark(),
        read.marks().logStartOffset(),
        Optional.ofNullable(diverging).map(PartitionRead.Diverging::end),
        partition.tiered());
  }

  private static FetchAnswer refused(Throwable failure) {
    Throwable cause =
        failure instanceof CompletionException && failure.getCause() != null
            ? failure.getCause()
            : failure;
    Errors error =
        cause instanceof ApiException known
            ? Errors.forException(known)
            : Errors.UNKNOWN_SERVER_ERROR;
    return new FetchAnswer(error, MemoryRecords.EMPTY, -1, -1, Optional.empty(), Optional.empty());
  }

  /** Where a leader's log begins and ends, asked in the midst of a round. */
  record Ranges(BrokerLife life, ReplicationWorld world, int broker) implements Leader {
    @Override
    public Map<TopicIdPartition, FetchAnswer> fetch(Map<TopicIdPartition, FetchPosition> wanted) {
      throw new UnsupportedOperationException("rounds are done by halves");
    }

    @Override
    public Range range(TopicIdPartition partition, int leaderEpoch) throws IOException {
      BrokerLife leader = world.living(broker);
      boolean reached =
          leader != null
              && leader.process.awake()
              && !world.network.cut(life.id, broker)
              && !world.network.cut(broker, life.id);
      if (!reached) {
        throw new IOException("not reached");
      }
      Partition there = leader.partitions.leaderOrThrow(partition);
      if (there.leaderEpoch() != leaderEpoch) {
        throw Errors.FENCED_LEADER_EPOCH.exception();
      }
      return new Range(there.logStartOffset(), there.logEndOffset());
    }

    @Override
    public void cancel() {}

    @Override
    public void close() {}
  }
}

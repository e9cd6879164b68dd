package io.strandline.broker.partition;

import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.tiering.TierPipeline.Relief;
import io.strandline.tiering.reclaim.TierPolicy;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.LoggerFactory;

/**
 * The tier's pipeline, as partitions join and leave it. Threads: any; {@link #lead} and {@link
 * #leave} may wait for the tier to start, none for the store.
 */
public interface Tier {
  /** A broker without a tier. */
  Tier NONE =
      new Tier() {
        @Override
        public void lead(Partition partition) {}

        @Override
        public void leave(TopicIdPartition partition) {}

        @Override
        public CompletableFuture<Void> delete(
            TopicIdPartition partition, int leaderEpoch, boolean led) {
          return CompletableFuture.completedFuture(null);
        }

        @Override
        public CompletableFuture<Relief> relieve(Predicate<TopicIdPartition> which, long bytes) {
          return CompletableFuture.completedFuture(Relief.NONE);
        }

        @Override
        public boolean holds(Partition partition) {
          return false;
        }

        @Override
        public boolean foreign(TopicIdPartition partition) {
          return false;
        }

        @Override
        public boolean mounted(Partition partition) {
          return false;
        }

        @Override
        public boolean begins(TopicIdPartition partition) {
          return false;
        }

        @Override
        public Optional<TierPolicy> policy(Partition partition) {
          return Optional.empty();
        }

        @Override
        public CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch) {
          return CompletableFuture.completedFuture(null);
        }
      };

  /** This broker leads the partition in its present epoch, or its topic's policy changed. */
  void lead(Partition partition);

  /** This broker leads it no more: stop for good. */
  void leave(TopicIdPartition partition);

  /**
   * The topic was deleted: so is what the tier holds of the partition.
   *
   * @param leaderEpoch the last one known here
   * @param led whether this broker led it: then it begins at once, others only look later whether
   *     all was done
   * @return completes when this can no longer be forgotten, however long the store is away: the
   *     local log is the only other thing that knows of it, and may go then
   */
  CompletableFuture<Void> delete(TopicIdPartition partition, int leaderEpoch, boolean led);

  /**
   * As above, of a partition whose log is here.
   *
   * @return whether the local log may go; one that stays is to be asked for again
   */
  default CompletableFuture<Boolean> delete(Partition partition) {
    int epoch = Math.max(partition.leaderEpoch(), partition.log().latestEpoch().orElse(0));
    return delete(partition.id(), epoch, partition.leads())
        .handle(
            (remembered, failure) -> {
              if (failure != null) {
                LoggerFactory.getLogger(Tier.class)
                    .atError()
                    .addKeyValue("partition", partition.id())
                    .setCause(failure)
                    .log("the deletion cannot be written down; the local log stays, tried again");
              }
              return failure == null;
            });
  }

  /** Whether the topic is tiered, and so its retention the tier's affair. */
  boolean holds(Partition partition);

  /** Whether a partition that is new here begins with history of another cluster's. */
  boolean foreign(TopicIdPartition partition);

  /**
   * Whether all of the partition is another cluster's, and is only shown here; asked before it is
   * led, and from then on it can be read.
   */
  boolean mounted(Partition partition);

  /**
   * Frees the oldest local bytes that are in the tier, over all these partitions; if that is not
   * enough, what is sealed goes up, however little it is.
   */
  CompletableFuture<Relief> relieve(Predicate<TopicIdPartition> which, long bytes);

  /**
   * Whether a new replica of a partition that another leads begins at the tier's end. Internal
   * topics do not: they never live only in the tier (design D17).
   */
  boolean begins(TopicIdPartition partition);

  /** How long its local bytes stay that are in the tier; empty if they are to stay. */
  Optional<TierPolicy> policy(Partition partition);

  /**
   * Gives the log of a partition that is not here to be what the tier has of it, so that it goes on
   * at the tier's end. Leaves it empty if the tier has nothing.
   *
   * @param leaderEpoch in which this broker leads: from then on nobody of a lower one moves the
   *     end, and transactions whose markers are lost have ended. Empty when another leads, from
   *     whom the rest will be copied.
   * @return fails if the store cannot be asked now; the nursery is worthless then
   */
  CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch);
}

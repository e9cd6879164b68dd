package io.strandline.broker.partition;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.replica.FetchPosition;
import io.strandline.broker.replica.Fetchers;
import io.strandline.broker.replica.Replicas;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BiConsumer;
import java.util.function.IntSupplier;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps the hosted partitions replicated: followers get a fetcher, leaders look after their
 * followers now and then. Threads: any.
 */
final class Replication implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Replication.class);

  /** How often those are looked at that may be let into the ISR. */
  private static final long HOPES_MS = 500;

  private final PartitionRuntime runtime;
  private final Replicas replicas;
  private final Map<TopicPartition, Partition> hosted;
  private final BiConsumer<TopicIdPartition, FetchPosition> renew;
  private final Runnable review;

  /** Replicas that are not copied though they should follow. */
  private final Set<TopicIdPartition> refused = ConcurrentHashMap.newKeySet();

  private volatile @Nullable ScheduledFuture<?> ticks;
  private long reviewedMs; // the tick's
  private volatile boolean closed;

  /**
   * @param renew lets a replica begin anew if it still stands there
   * @param review looks now and then whether all stands as it should, when replication does
   */
  Replication(
      PartitionRuntime runtime,
      Map<TopicPartition, Partition> hosted,
      BiConsumer<TopicIdPartition, FetchPosition> renew,
      Runnable review) {
    this.runtime = runtime;
    this.replicas = runtime.replicas();
    this.hosted = hosted;
    this.renew = renew;
    this.review = review;
  }

  void start() {
    reviewedMs = replicas.times().nowMs();
    ticks =
        runtime
            .scheduler()
            .scheduleWithFixedDelay(this::tick, HOPES_MS, HOPES_MS, TimeUnit.MILLISECONDS);
  }

  /**
   * The metadata gave the replica a role, or its topic another configuration.
   *
   * <p>Roles are taken in order, and told of here by whichever thread was the partition's owner
   * then: one that comes late must not act upon a role that another has followed, nor for a replica
   * that has left.
   */
  synchronized void took(Partition partition) {
    TopicIdPartition id = partition.id();
    if (hosted.get(id.topicPartition()) != partition) {
      return;
    }
    if (!closed
        && partition.role() instanceof Role.Following following
        && following.state().leader() >= 0) {
      if (replicas.inSync().mayFollow(following.state())) {
        refused.remove(id);
        follow(partition, following);
        return;
      }
      if (refused.add(id)) {
        LOG.atError()
            .addKeyValue("partition", id)
            .addKeyValue("broker", following.state().leader())
            .log("not copied: Apache Kafka tiers the topic, and would not hand its history out");
      }
    } else {
      refused.remove(id);
    }
    replicas.fetchers().stop(id);
  }

  /** One that can not be followed now, for want of files or threads, is tried again by the tick. */
  private void follow(Partition partition, Role.Following following) {
    int leader = following.state().leader();
    try {
      replicas.fetchers().follow(partition.follower(), leader, following.leaderEpoch());
    } catch (RuntimeException | Error failure) {
      LOG.atError()
          .addKeyValue("partition", partition.id())
          .addKeyValue("broker", leader)
          .addKeyValue("value", failure.toString())
          .log("no fetcher for it; tried again");
    }
  }

  /** If it should follow and no fetcher has it. */
  private synchronized void followAgain(Partition partition) {
    TopicIdPartition id = partition.id();
    if (partition.role() instanceof Role.Following following
        && following.state().leader() >= 0
        && !refused.contains(id)
        && !replicas.fetchers().serves(id)) {
      took(partition);
    }
  }

  /** The replica is not here any more. */
  synchronized void left(TopicIdPartition id) {
    refused.remove(id);
    replicas.fetchers().stop(id);
    replicas.hopes().set(id, false);
  }

  /** Brokers may have come, gone, or become fit for the ISR. */
  void clusterChanged() {
    for (TopicIdPartition id : replicas.hopes().waiting()) {
      Partition partition = hosted.get(id.topicPartition());
      if (partition != null) {
        partition.reviewFollowers();
      }
    }
  }

  /** A timer drops a task that throws. */
  private void tick() {
    try {
      if (!closed) {
        look();
      }
    } catch (RuntimeException | Error failure) {
      LOG.atError().setCause(failure).log("a look at the replicas failed");
    }
  }

  private void look() {
    clusterChanged();
    replicas.stragglers().take().forEach(renew);
    long now = replicas.times().nowMs();
    if (now - reviewedMs >= replicas.settings().lagMaxMs().getAsLong() / 2) {
      reviewedMs = now;
      hosted.values().forEach(Partition::reviewFollowers);
      hosted.values().forEach(this::followAgain);
      replicas.fetchers().sweep();
      review.run();
    }
  }

  // ---- how they stand

  /** Tells how many replicas are in which state, under Kafka's names and ours. */
  void tell(IntSupplier offlineDirectories) {
    MeterRegistry meters = runtime.meters();
    Gauge.builder("strandline.partition.hosted", hosted, Map::size).register(meters);
    Gauge.builder("strandline.partition.refused", refused, Set::size).register(meters);
    Gauge.builder("strandline.partition.led", () -> count(Partition::leads)).register(meters);
    Predicate<Partition> missing = p -> leading(p, Role.Leading::underReplicated);
    Predicate<Partition> tooFew = p -> leading(p, l -> l.spareInSync(minInSync(p)) < 0);
    Gauge.builder("strandline.partition.under.replicated", () -> count(missing)).register(meters);
    Gauge.builder("strandline.partition.under.min.isr", () -> count(tooFew)).register(meters);
    ReplicaMeters kafka = runtime.kafka();
    kafka.offlineDirectories(offlineDirectories::getAsInt);
    Gauge.builder("strandline.log.directories.offline", offlineDirectories::getAsInt)
        .register(meters);
    kafka.bindTo(meters);
    Fetchers all = replicas.fetchers();
    kafka.fetchers(
        all::lagMax, all::paceMin, () -> all.failed() + (int) count(Replication::offline));
    kafka.count("PartitionCount", hosted::size);
    tell(kafka, "LeaderCount", Partition::leads);
    tell(kafka, "OfflineReplicaCount", Replication::offline);
    tell(kafka, "UnderReplicatedPartitions", missing);
    tell(kafka, "ReassigningPartitions", p -> leading(p, l -> l.state().reassigning()));
    tell(kafka, "UnderMinIsrPartitionCount", tooFew);
    tell(kafka, "AtMinIsrPartitionCount", p -> leading(p, l -> l.spareInSync(minInSync(p)) == 0));
  }

  /** Tells of a partition under its own name. */
  void show(Partition p) {
    runtime
        .kafka()
        .show(
            p.log(),
            () ->
                p.role()
                    .standing(minInSync(p), Math.max(0, p.highWatermark() - p.lastStableOffset())));
  }

  private void tell(ReplicaMeters kafka, String name, Predicate<Partition> which) {
    kafka.count(name, () -> count(which));
  }

  private long count(Predicate<Partition> which) {
    return hosted.values().stream().filter(which).count();
  }

  /** Its disk failed; it is led elsewhere as soon as the controller knows. */
  private static boolean offline(Partition partition) {
    return partition.role() instanceof Role.Offline;
  }

  private static boolean leading(Partition partition, Predicate<Role.Leading> is) {
    return partition.role() instanceof Role.Leading leading && is.test(leading);
  }

  private static int minInSync(Partition partition) {
    return partition.config().minInSyncReplicas;
  }

  @Override
  public void close() {
    closed = true;
    ScheduledFuture<?> running = ticks;
    if (running != null) {
      running.cancel(false);
    }
    replicas.fetchers().close();
  }
}

package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.PartitionSettings;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.partition.lost.LostLogs;
import io.strandline.broker.restore.LogRefill;
import io.strandline.tiering.TierPipeline.Relief;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A life that begins without a log: the real search in the tier if this broker leads, an empty log
 * if it follows.
 */
final class SimulatedRefill {
  private static final long LOOK_MS = 150;

  private final int id;
  private final SimulatedHome home;
  private final SimulatedProcess process;
  private final CrashingDisk disk;
  private final SimulatedCluster cluster;
  private final LostLogs lost;
  private final Told told;
  private boolean over;

  /** What comes of it. */
  interface Told {
    /** Another leads, and gives all: an empty log is about to be made. */
    void follows();

    /**
     * @param refilled whether it was lost and is the tier's end now
     */
    void found(PartitionLog log, boolean refilled);
  }

  SimulatedRefill(
      SimulatedReplica.Birth birth,
      SimulatedHome home,
      SimulatedProcess process,
      CrashingDisk disk,
      Told told) {
    this.id = birth.id();
    this.home = home;
    this.process = process;
    this.disk = disk;
    this.cluster = birth.cluster();
    this.told = told;
    this.lost = new LostLogs(runtime(), new Refilling(refill(birth)), this::guarded);
  }

  private LogRefill refill(SimulatedReplica.Birth birth) {
    ObjectStore store = birth.store();
    Manifests manifests = SimulatedReplica.manifests(store, cluster, process);
    return new LogRefill(
        new TierTails(OwnedStores.all(store), manifests),
        manifests,
        SimulatedReader.replay(OwnedStores.all(store), manifests, process, cluster.time),
        process);
  }

  /** A search needs no more of the broker than this. */
  private PartitionRuntime runtime() {
    return new PartitionRuntime(
        cluster.time,
        this::guarded,
        process,
        process,
        process,
        process,
        null,
        null,
        new CompositeMeterRegistry(),
        null,
        null,
        PartitionSettings.defaults());
  }

  private void guarded(Runnable task) {
    process.execute(() -> cluster.guard(disk, task::run));
  }

  /** What the metadata says now, as often as the broker may hear of it. */
  void look() {
    if (over) {
      return;
    }
    PartitionState state = state();
    if (LostLogs.lost(state, true, id)) {
      lost.search(state, id, () -> home.directory, this::adopt);
      var unused =
          process.schedule(() -> cluster.guard(disk, this::look), LOOK_MS, TimeUnit.MILLISECONDS);
    } else {
      lost.cancel(state.id());
      over = true;
      told.follows();
      told.found(home.create(), false);
    }
  }

  private boolean adopt(LogDirectory directory, LogNursery nursery, int leaderEpoch) {
    if (over) {
      directory.discard(nursery);
    } else {
      over = true;
      cluster.guard(disk, () -> told.found(home.adopt(nursery), true));
    }
    return true;
  }

  private PartitionState state() {
    List<Integer> all = List.of(0, 1);
    return new PartitionState(
        SimulatedCluster.PARTITION,
        cluster.leader(),
        cluster.epoch(),
        cluster.epoch(),
        all,
        all.stream().filter(cluster::inSync).toList(),
        List.of(),
        List.of(),
        List.of(),
        DirectoryId.UNASSIGNED,
        false);
  }

  /** Of the tier, what fills a log. */
  private record Refilling(LogRefill refill) implements Tier {
    @Override
    public CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch) {
      return refill.fill(nursery, leaderEpoch, true);
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
    public void lead(Partition partition) {}

    @Override
    public void leave(TopicIdPartition partition) {}

    @Override
    public CompletableFuture<Void> delete(
        TopicIdPartition partition, int leaderEpoch, boolean led) {
      return Tier.NONE.delete(partition, leaderEpoch, led);
    }

    @Override
    public CompletableFuture<Relief> relieve(Predicate<TopicIdPartition> which, long bytes) {
      return Tier.NONE.relieve(which, bytes);
    }

    @Override
    public boolean holds(Partition partition) {
      return true;
    }

    @Override
    public boolean foreign(TopicIdPartition partition) {
      return false;
    }

    @Override
    public boolean mounted(Partition partition) {
      return false;
    }
  }
}

package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.restore.LogRefill;
import io.strandline.replay.Replay;
import io.strandline.tiering.TierListener;
import io.strandline.tiering.TierMember;
import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.TierPipeline.Relief;
import io.strandline.tiering.TierServices;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;

/** The tier of one life of a broker: the real pipeline, manifests, replay and refilling. */
final class ReplicatedTier implements Tier, AutoCloseable {
  /** What it is made of. */
  record Parts(
      Path root, ObjectStore store, SimulatedProcess process, SimulatedTime time, Random random) {}

  final Replay replay;
  private final TierPipeline pipeline;
  private final UploadIntents intents;
  private final LogRefill refill;
  private final TierPolicy policy;
  private final Consumer<Partition> leads;

  /**
   * @param leads told of each partition that this broker begins to lead
   */
  ReplicatedTier(Parts parts, TierPolicy policy, Consumer<Partition> leads) throws IOException {
    this.policy = policy;
    this.leads = leads;
    SimulatedProcess process = parts.process();
    CompositeMeterRegistry meters = new CompositeMeterRegistry();
    Manifests manifests =
        StoreManifests.open(
            parts.store(),
            SimulatedCluster.manifestConfig(),
            new StoreManifests.Environment(parts.time(), parts.random(), process, meters));
    OwnedStores stores = OwnedStores.all(parts.store());
    this.replay = SimulatedReader.replay(stores, manifests, process, parts.time());
    this.refill = new LogRefill(new TierTails(stores, manifests), manifests, replay, process);
    this.intents = UploadIntents.open(parts.root().resolve("intents"));
    this.pipeline =
        new TierPipeline(
            SimulatedCluster.tierConfig(),
            new TierServices(
                SimulatedCluster.CLUSTER,
                parts.store(),
                stores,
                manifests,
                intents,
                Deletions.open(parts.root().resolve("deletions")),
                process,
                new Workbench(process, parts.root().resolve("rewriting")),
                process,
                parts.time(),
                parts.random(),
                Recompressor.none(),
                meters));
  }

  void start(TierListener listener) {
    pipeline.listen(listener);
    pipeline.start();
  }

  @Override
  public void lead(Partition partition) {
    leads.accept(partition);
    pipeline.join(
        new TierMember(
            partition.log(),
            partition.localSegments(),
            () -> Math.min(partition.highWatermark(), partition.lastStableOffset()),
            partition.leaderEpoch(),
            () -> policy,
            new Compactable(() -> CompactionPolicy.never(1_500), Map::of)));
  }

  @Override
  public void leave(TopicIdPartition partition) {
    var unused = pipeline.leave(partition);
  }

  @Override
  public CompletableFuture<Void> delete(TopicIdPartition partition, int leaderEpoch, boolean led) {
    return pipeline.delete(partition, leaderEpoch, led);
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

  @Override
  public CompletableFuture<Relief> relieve(Predicate<TopicIdPartition> which, long bytes) {
    return pipeline.relieve(which, bytes);
  }

  @Override
  public boolean begins(TopicIdPartition partition) {
    return true;
  }

  @Override
  public Optional<TierPolicy> policy(Partition partition) {
    return Optional.of(policy);
  }

  @Override
  public CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch) {
    return refill.fill(nursery, leaderEpoch, true);
  }

  /** Its files, as the system closes them when a process ends. */
  @Override
  public void close() throws IOException {
    intents.close();
  }
}

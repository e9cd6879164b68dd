package io.strandline.broker;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.snapshot.SavedCluster;
import io.strandline.broker.control.snapshot.SnapshotSource;
import io.strandline.broker.history.HistoryKeys;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.mount.ForeignTopics;
import io.strandline.broker.mount.MountKeys;
import io.strandline.broker.node.StopOrder;
import io.strandline.broker.observe.Health;
import io.strandline.broker.observe.Health.Check;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.restore.LogRefill;
import io.strandline.broker.restore.MetadataBackup;
import io.strandline.broker.store.HintDirectory;
import io.strandline.broker.store.RememberedDeletions;
import io.strandline.broker.store.StoreTrial;
import io.strandline.cache.ChunkCache;
import io.strandline.replay.Replay;
import io.strandline.replay.ReplayException;
import io.strandline.replay.TieredReplay;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tiering.TierListener;
import io.strandline.tiering.TierMember;
import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.TierServices;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.restore.MetadataBackups;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.scrub.ScrubFile;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.guard.CircuitObjectStore;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The object store and all that stands on it: manifests, cache, replay, the pipeline.
 *
 * <p>At start the store is tried and the prefix claimed for this cluster (design D15). A store that
 * breaks its promises, or a prefix of another cluster, refuses the start; a store that is away does
 * not: then the trying goes on beside the work, and nothing is uploaded before it succeeded.
 */
final class ObjectTier implements Tier, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ObjectTier.class);
  private static final Duration VERIFY_AT_START = Duration.ofSeconds(5);
  private static final long VERIFY_AGAIN_MS = 10_000;
  private static final long SCRUB_SAVE_MS = 60_000;

  private final BrokerConfig config;
  private final Threads threads;
  private final MeterRegistry meters;
  private final StopOrder parts = new StopOrder();
  private final RandomGenerator random;
  private final ObjectStore store;
  private final CircuitObjectStore circuit;
  private final Manifests manifests;
  private final MountedStores stores;
  private final ForeignTopics foreign;
  private final Replay replay;
  private final LogRefill refill;
  private final TopicPolicies policies;
  private final Deletions deletions;
  private final StoreTrial trial;
  private final HintDirectory hints;
  private final Supplier<ClusterView> view;
  private final Map<TopicIdPartition, TierMember> waiting = new ConcurrentHashMap<>();
  private volatile Check verified = Check.failed("not tried yet");
  private volatile boolean closed;
  private final CompletableFuture<TierPipeline> pipeline = new CompletableFuture<>();

  private ObjectTier(
      BrokerConfig config, Threads threads, MeterRegistry meters, Supplier<ClusterView> view) {
    this.config = config;
    this.threads = threads;
    this.meters = meters;
    this.view = view;
    this.random = new java.security.SecureRandom();
    this.policies = new TopicPolicies(config.on(ConfigKeys.TIER_ENABLE), view);
    this.deletions = TierBindings.openDeletions(config);
    InstantSource clock = InstantSource.system();
    Stores.Watched watched =
        Stores.watched(
            config.objectStore(),
            TierBindings.store(config).withRates(TierBindings.rates(view)),
            storeRuntime(meters));
    this.store = parts.started("object store", watched.store());
    this.circuit = watched.circuit();
    circuit.listen(retries());
    this.trial =
        new StoreTrial(
            store,
            random,
            this::generation,
            new StoreTrial.Allowed(
                config.on(ConfigKeys.STORE_SINGLE_WRITER), TierBindings.deletesVersions(config)));
    this.hints = TierBindings.hints(config, trial::identity);
    this.manifests =
        StoreManifests.open(
            store,
            TierBindings.manifests(config, hints),
            new StoreManifests.Environment(clock, random, threads.manifests, meters));
    this.stores = new MountedStores(store, openOthers(view));
    this.foreign = parts.started("foreign topics", openForeign(view));
    this.replay = openReplay();
    this.refill = new LogRefill(new TierTails(stores, manifests), manifests, replay, threads.tier);
    Gauge.builder("strandline.tiering.waiting", waiting, Map::size).register(meters);
  }

  /** Opens what needs nothing of the cluster and asks the store nothing. */
  static ObjectTier open(
      BrokerConfig config,
      Threads threads,
      MeterRegistry meters,
      Health health,
      Supplier<ClusterView> view) {
    ObjectTier tier = new ObjectTier(config, threads, meters, view);
    health.ready("object store", () -> Check.OK); // an outage of the store stops no client
    health.live("object store", () -> new Check(true, tier.storeDetail()));
    health.live("tiering", () -> new Check(true, tier.tieringDetail()));
    health.live("history", tier::damages);
    return tier;
  }

  private List<ObjectStore> openOthers(Supplier<ClusterView> view) {
    return MountKeys.stores(config.text(MountKeys.STORES)).stream()
        .map(
            uri ->
                Stores.open(
                    uri,
                    TierBindings.store(config).withRates(TierBindings.rates(view)),
                    storeRuntime(new SimpleMeterRegistry()))) // its own calls' meters have no tag
        .toList();
  }

  private ForeignTopics openForeign(Supplier<ClusterView> view) {
    StoreManifests.Environment environment =
        new StoreManifests.Environment(InstantSource.system(), random, threads.manifests, meters);
    return new ForeignTopics(
        stores,
        manifests,
        new ForeignTopics.Environment(
            other -> StoreManifests.open(other, ManifestConfig.defaults(), environment),
            view,
            !config.on(HistoryKeys.REPLAY_BROKER),
            threads.tier,
            threads.timer,
            config.number(MountKeys.REFRESH_MS),
            meters));
  }

  private StoreRuntime storeRuntime(MeterRegistry registry) {
    return new StoreRuntime(
        new StoreRuntime.Time(InstantSource.system(), System::nanoTime),
        random,
        threads.store,
        threads.timer,
        registry);
  }

  private Replay openReplay() {
    ChunkCache cache = parts.started("cache", TierBindings.openCache(config, threads, meters));
    TieredReplay opened =
        new TieredReplay(
            TierBindings.replay(config),
            new FetchEnvironment(
                stores, foreign.manifests(), cache, threads.replay, System::nanoTime, meters),
            this::damaged);
    var unused = threads.timer.scheduleWithFixedDelay(opened::dropIdle, 1, 1, TimeUnit.SECONDS);
    return parts.started("replay", opened);
  }

  Replay replay() {
    return replay;
  }

  ForeignTopics foreign() {
    return foreign;
  }

  Optional<String> storeIdentity() {
    return trial.identity();
  }

  /** One partition finds out whether the store is back; when it is, none waits any longer. */
  private CircuitObjectStore.Listener retries() {
    return new CircuitObjectStore.Listener() {
      @Override
      public void trialDue() {
        retryNow(1);
      }

      @Override
      public void cameBack() {
        retryNow(Integer.MAX_VALUE);
      }
    };
  }

  /** Empty before the store was verified. */
  Optional<TierPipeline> running() {
    return pipeline.isDone() ? Optional.of(pipeline.join()) : Optional.empty();
  }

  private void retryNow(int max) {
    running().ifPresent(tier -> tier.retryNow(max));
  }

  private String storeDetail() {
    String trouble = circuit.trouble();
    return trouble.isEmpty() ? verified.detail() : trouble;
  }

  private String tieringDetail() {
    return running().map(TierPipeline::trouble).orElse("");
  }

  /** A reader met what cannot be read; told once. */
  private void damaged(TopicIdPartition partition, ReplayException.Damage range) {
    running()
        .ifPresent(tier -> tier.scrubbed().met(partition, range.fromOffset(), range.toOffset()));
  }

  private Check damages() {
    return new Check(true, running().map(tier -> tier.scrubbed().summary()).orElse(""));
  }

  /**
   * Tries the store and claims its prefix; gives up waiting after a few seconds and goes on beside.
   *
   * @throws StartException when the store must not be used
   */
  void verify(String clusterId) {
    foreign.start(clusterId);
    CompletableFuture<Void> first = verifyOnce(clusterId);
    try {
      first.get(VERIFY_AT_START.toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException e) {
      LOG.atWarn()
          .addKeyValue("store", store.describe())
          .log("the object store does not answer; starting without it");
    } catch (ExecutionException e) {
      boolean away = StoreException.of(e) instanceof StoreException.Unavailable;
      if (!away && policies.enabled()) {
        throw new StartException("object store " + store.describe() + ": " + message(e), e);
      }
      LOG.atWarn()
          .addKeyValue("store", store.describe())
          .addKeyValue("reason", message(e))
          .log("the object store is away; starting without it");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new StartException("interrupted while trying the object store", e);
    }
    var unused = first.whenComplete((done, failure) -> verifiedOrAgain(clusterId, failure));
  }

  private void verifyAgain(String clusterId) {
    var unused =
        verifyOnce(clusterId).whenComplete((done, failure) -> verifiedOrAgain(clusterId, failure));
  }

  private CompletableFuture<Void> verifyOnce(String clusterId) {
    return trial.run(clusterId).thenRunAsync(() -> startPipeline(clusterId), threads.tier);
  }

  private void verifiedOrAgain(String clusterId, @Nullable Throwable failure) {
    if (failure == null || closed) {
      return;
    }
    Check before = verified;
    verified = Check.failed(message(failure));
    if (!(StoreException.of(failure) instanceof StoreException.Unavailable)
        && !before.equals(verified)) {
      LOG.atError()
          .addKeyValue("store", store.describe())
          .addKeyValue("reason", verified.detail())
          .log("the object store must not be used; nothing is tiered until it may");
    }
    var unused =
        threads.timer.schedule(
            () -> verifyAgain(clusterId), VERIFY_AGAIN_MS, TimeUnit.MILLISECONDS);
  }

  private synchronized void startPipeline(String clusterId) {
    if (closed || pipeline.isDone()) {
      return;
    }
    try {
      UploadIntents intents =
          parts.started("intents", UploadIntents.open(config.ownDirectory().resolve("intents")));
      TierPipeline started =
          parts.started(
              "pipeline",
              new TierPipeline(
                  TierBindings.tier(config),
                  new TierServices(
                      clusterId,
                      store,
                      stores,
                      manifests,
                      intents,
                      deletions,
                      threads.tier,
                      TierBindings.workbench(config, threads.rewrite),
                      threads.timer,
                      InstantSource.system(),
                      random,
                      TierBindings.openRecompressor(config, threads.recompress, meters),
                      meters)));
      scrubFile(started);
      hints.keepTidy(threads.timer, threads.tier, InstantSource.system());
      verified = Check.OK;
      waiting.values().forEach(started::join);
      waiting.clear();
      pipeline.complete(started);
      started.start();
    } catch (IOException e) {
      throw new StoreException.Refused("what the tier keeps here can not be opened", e);
    }
  }

  private void scrubFile(TierPipeline started) {
    ScrubFile file =
        parts.started(
            "scrub", ScrubFile.open(config.ownDirectory().resolve("scrub"), started.scrubbed()));
    var unused =
        threads.timer.scheduleWithFixedDelay(
            () -> threads.tier.execute(file::save),
            SCRUB_SAVE_MS,
            SCRUB_SAVE_MS,
            TimeUnit.MILLISECONDS);
  }

  /** How often this node's cluster was restored. */
  private int generation() {
    return Integer.parseInt(
        view.get().clusterOverrides().getOrDefault(SavedCluster.GENERATION, "0"));
  }

  /** Backs the metadata up from when the store is known to be this cluster's. */
  void backUp(ControlPlane quorum) {
    SnapshotSource source = new SnapshotSource();
    quorum.listenToImages(source);
    MetadataBackup backup =
        parts.started(
            "metadata backup",
            new MetadataBackup(
                new MetadataBackups(store, TierBindings.encrypts(config)),
                new MetadataBackup.Cluster(
                    source, MetadataBackup.lowest(quorum), this::generation, this::superseded),
                TierBindings.metadataBackup(config),
                new MetadataBackup.Environment(InstantSource.system(), threads.tier, meters)));
    var unused = pipeline.thenRun(() -> backup.start(threads.timer));
  }

  /** The cluster was restored elsewhere: this node keeps its hands off the store. */
  private synchronized void superseded(String reason) {
    verified = Check.failed(reason);
    LOG.atError().addKeyValue("reason", reason).log("nothing is tiered any more");
    running().ifPresent(TierPipeline::close);
  }

  // ---- partitions come and go

  @Override
  public synchronized void lead(Partition partition) {
    if (foreign.follows(partition.id())) {
      foreign.follow(partition);
      return;
    }
    TierMember member =
        new TierMember(
            partition.log(),
            partition.localSegments(),
            () -> Math.min(partition.highWatermark(), partition.lastStableOffset()),
            partition.leaderEpoch(),
            () -> policies.of(partition),
            policies.compactable(partition),
            () -> foreign.copies(partition.id()));
    if (pipeline.isDone()) {
      pipeline.join().join(member);
    } else {
      waiting.put(partition.id(), member); // not hung onto the future, which runs its latest first
    }
  }

  /** Told how far partitions that this broker leads are tiered. */
  void listen(TierListener listener) {
    var unused = pipeline.thenAccept(tier -> tier.listen(listener));
  }

  @Override
  public synchronized void leave(TopicIdPartition partition) {
    waiting.remove(partition);
    foreign.leave(partition);
    var unused = running().map(tier -> tier.leave(partition));
  }

  /** Also of a topic that is not tiered now: it may have been before. */
  @Override
  public synchronized CompletableFuture<Void> delete(
      TopicIdPartition partition, int leaderEpoch, boolean led) {
    waiting.remove(partition);
    return new RememberedDeletions(deletions, threads.tier, pipeline, () -> closed)
        .begin(new Deletions.Deletion(partition, leaderEpoch), led);
  }

  @Override
  public CompletableFuture<TierPipeline.Relief> relieve(
      Predicate<TopicIdPartition> which, long bytes) {
    return running()
        .map(tier -> tier.relieve(which, bytes))
        .orElse(CompletableFuture.completedFuture(TierPipeline.Relief.NONE));
  }

  @Override
  public CompletableFuture<Void> fill(LogNursery nursery, OptionalInt leaderEpoch) {
    TopicIdPartition id = nursery.partition();
    return foreign
        .fill(nursery)
        .thenCompose(
            mounted ->
                mounted
                    ? CompletableFuture.completedFuture(null)
                    : foreign
                        .adopt(id, leaderEpoch)
                        .thenCompose(
                            adopted ->
                                refill.fill(nursery, leaderEpoch, policies.tiered(id.topic()))));
  }

  @Override
  public boolean holds(Partition partition) {
    return foreign.follows(partition.id()) || policies.tiered(partition);
  }

  @Override
  public boolean foreign(TopicIdPartition partition) {
    return foreign.foreign(partition);
  }

  @Override
  public boolean begins(TopicIdPartition partition) {
    return !Topic.isInternal(partition.topic()) && policies.tiered(partition.topic());
  }

  @Override
  public Optional<TierPolicy> policy(Partition partition) {
    return holds(partition) ? Optional.of(policies.of(partition)) : Optional.empty();
  }

  @Override
  public boolean mounted(Partition partition) {
    return foreign.mount(partition);
  }

  private static String message(Throwable failure) {
    return String.valueOf((failure.getCause() == null ? failure : failure.getCause()).getMessage());
  }

  @Override
  public void close() {
    closed = true;
    parts.close();
  }
}

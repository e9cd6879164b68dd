package io.strandline.broker.mount;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.partition.Partition;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.mount.Adoption;
import io.strandline.tiering.mount.ForeignTopic;
import io.strandline.tiering.mount.MountedManifests;
import io.strandline.tiering.mount.MountedManifests.Mount;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The topics whose history is another cluster's, as the cluster's configuration says it ({@link
 * ForeignTopic}), and what that means for their partitions led here.
 *
 * <p>Restored: before the partition serves, its leader, the one lawful writer of its manifest,
 * names the other cluster's segments in it; from then on it is a topic like any other. Mounted: all
 * of it is read through the other cluster's manifest, and its empty log is moved along as that
 * grows. Threads: any.
 */
public final class ForeignTopics implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(ForeignTopics.class);
  private static final long IDENTIFY_MS = 5_000;

  /**
   * What this needs of the broker.
   *
   * @param open another cluster's manifests in its store
   * @param hosts whether partitions are hosted here, each of which says whether it is a mount;
   *     where none are, the configuration alone says it
   * @param disk where steps run that block on local files
   * @param refreshMs how often a mounted partition's manifest is looked at
   */
  public record Environment(
      Function<ObjectStore, Manifests> open,
      Supplier<ClusterView> view,
      boolean hosts,
      Executor disk,
      ScheduledExecutorService timer,
      long refreshMs,
      MeterRegistry meters) {}

  private final MountedStores stores;
  private final Manifests own;
  private final MountedManifests manifests;
  private final Environment environment;
  private final Map<String, Manifests> others = new ConcurrentHashMap<>();
  private final Map<TopicIdPartition, Follower> followers = new ConcurrentHashMap<>();
  private final Counter adopted;
  private volatile boolean closed;

  /**
   * @param stores closed here
   * @param own this cluster's manifests
   */
  public ForeignTopics(MountedStores stores, Manifests own, Environment environment) {
    this.stores = stores;
    this.own = own;
    this.environment = environment;
    this.manifests =
        new MountedManifests(
            own, this::manifestsOf, environment.hosts() ? id -> Optional.empty() : this::shown);
    MeterRegistry meters = environment.meters();
    this.adopted = meters.counter("strandline.mount.adopted.segments");
    Gauge.builder("strandline.mount.partitions", followers, Map::size).register(meters);
    Gauge.builder("strandline.mount.failing", followers, ForeignTopics::failing).register(meters);
  }

  private static double failing(Map<TopicIdPartition, Follower> followers) {
    return followers.values().stream().filter(f -> f.failing).count();
  }

  /** This cluster's manifests, and those of others in the place of mounted partitions'. */
  public Manifests manifests() {
    return manifests;
  }

  /** Begins to ask the other stores whose they are, until all have said it. */
  public void start(String clusterId) {
    stores.ownedBy(clusterId);
    identify();
  }

  private void identify() {
    CompletableFuture<?> unused =
        stores
            .identify()
            .thenAccept(
                all -> {
                  if (!all && !closed) {
                    var unusedTimer =
                        environment.timer.schedule(
                            this::identify, IDENTIFY_MS, TimeUnit.MILLISECONDS);
                  }
                });
  }

  private Manifests manifestsOf(String cluster) {
    return stores
        .other(cluster)
        .map(store -> others.computeIfAbsent(cluster, id -> environment.open.apply(store)))
        .orElseGet(() -> environment.open.apply(stores.of(cluster)));
  }

  /** What the configuration says of a topic; nothing of internal ones. */
  public Optional<ForeignTopic> of(TopicIdPartition partition) {
    String topic = partition.topic();
    String value = environment.view.get().clusterOverrides().get(ForeignTopic.key(topic));
    if (value == null || Topic.isInternal(topic)) {
      return Optional.empty();
    }
    try {
      return Optional.of(ForeignTopic.parse(value)).filter(f -> f.isOf(partition.topicId()));
    } catch (IllegalArgumentException e) {
      LOG.atError()
          .addKeyValue("topic", topic)
          .addKeyValue("reason", e.getMessage())
          .log("ignored");
      return Optional.empty();
    }
  }

  private static TopicIdPartition there(TopicIdPartition partition, ForeignTopic origin) {
    return new TopicIdPartition(origin.topicId(), partition.partition(), "");
  }

  // ---- restored

  /**
   * Makes the manifest of a partition that this broker leads and has no log of name the other
   * cluster's segments; does nothing for any other partition.
   *
   * @param leaderEpoch in which this broker leads; empty when another does
   * @return fails while another leads that has not named them all, and might be followed by this
   *     broker's replica; one that is not in sync may begin below
   */
  public CompletableFuture<Void> adopt(TopicIdPartition partition, OptionalInt leaderEpoch) {
    Optional<ForeignTopic> origin = of(partition);
    if (origin.isEmpty() || origin.get().use() == ForeignTopic.Use.MOUNT) {
      return CompletableFuture.completedFuture(null);
    }
    if (leaderEpoch.isEmpty() && !inSync(partition)) {
      return CompletableFuture.completedFuture(null);
    }
    return own.read(partition)
        .thenCompose(
            view ->
                Adoption.done(view)
                    .thenCompose(
                        done ->
                            done
                                ? CompletableFuture.completedFuture(null)
                                : leaderEpoch.isPresent()
                                    ? adopt(partition, origin.get(), leaderEpoch.getAsInt())
                                    : awaitLeader(view, origin.get())));
  }

  private boolean inSync(TopicIdPartition partition) {
    ClusterView view = environment.view.get();
    return view.partition(partition.topicPartition())
        .filter(state -> state.isr().contains(view.nodeId()))
        .isPresent();
  }

  /**
   * Fails unless the leader has named all that there is. If the other cluster goes on and the end
   * moves away, this replica waits until the leader, which serves by then, has put it out of sync.
   */
  private CompletableFuture<Void> awaitLeader(ManifestView view, ForeignTopic origin) {
    return manifestsOf(origin.cluster())
        .read(there(view.partition(), origin))
        .thenAccept(
            source -> {
              if (view.endOffset() < source.endOffset()) {
                throw new IllegalStateException(
                    "its leader has not named all of the other cluster's segments yet");
              }
            });
  }

  private CompletableFuture<Void> adopt(
      TopicIdPartition partition, ForeignTopic origin, int epoch) {
    if (origin.use() == ForeignTopic.Use.RESTORE && !stores.foreign(origin.cluster())) {
      return CompletableFuture.failedFuture(
          new IllegalStateException(
              partition.topic()
                  + " is to name segments of this cluster's own topic "
                  + origin.topicId()
                  + ", which deletes them as it likes: delete it, and restore with --copy"));
    }
    return manifestsOf(origin.cluster())
        .read(there(partition, origin))
        .thenCompose(
            source ->
                own.acquire(partition, epoch).thenCompose(writer -> Adoption.adopt(writer, source)))
        .thenAccept(view -> adopted(view, origin));
  }

  /** Whether the other cluster's segments that the partition's manifest names are to be copied. */
  public boolean copies(TopicIdPartition partition) {
    return of(partition).filter(f -> f.use() == ForeignTopic.Use.COPY).isPresent();
  }

  private void adopted(ManifestView view, ForeignTopic origin) {
    adopted.increment(view.segmentCount());
    LOG.atInfo()
        .addKeyValue("partition", view.partition())
        .addKeyValue("offset", view.endOffset())
        .addKeyValue("count", view.segmentCount())
        .addKeyValue("value", origin.value())
        .log("its manifest names another cluster's segments");
  }

  // ---- mounted

  /**
   * Gives the log of a mounted partition its place: empty, at the end of the other cluster's tier.
   *
   * @return whether the partition is one
   */
  public CompletableFuture<Boolean> fill(LogNursery nursery) {
    Optional<ForeignTopic> origin = of(nursery.partition());
    if (origin.isEmpty() || origin.get().use() != ForeignTopic.Use.MOUNT) {
      return CompletableFuture.completedFuture(false);
    }
    return manifestsOf(origin.get().cluster())
        .read(there(nursery.partition(), origin.get()))
        .thenApplyAsync(
            view -> {
              if (view.endOffset() > 0) {
                place(nursery, view);
              }
              return true;
            },
            environment.disk);
  }

  private static void place(LogNursery nursery, ManifestView view) {
    try {
      nursery.bounds(view.startOffset(), view.endOffset());
      nursery.epochs(List.of(new EpochStart(SegmentEntry.FOREIGN_EPOCH, view.startOffset())));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /**
   * If the partition is mounted, whoever reads it reads the other cluster's from now on.
   *
   * @return whether it is; not if it has records of its own, which stay what they are
   */
  public boolean mount(Partition partition) {
    TopicIdPartition id = partition.id();
    Optional<ForeignTopic> origin = of(id).filter(f -> f.use() == ForeignTopic.Use.MOUNT);
    if (origin.isEmpty()) {
      return false;
    }
    if (partition.log().sizeBytes() > 0) {
      LOG.atError()
          .addKeyValue("partition", id)
          .addKeyValue("value", origin.get().value())
          .log("has records of its own and can not be a mount");
      return false;
    }
    var unused =
        followers.computeIfAbsent(
            id,
            fresh -> {
              Follower follower = new Follower(partition);
              manifests.mount(id, mount(id, origin.get(), follower::show));
              return follower;
            });
    return true;
  }

  private static Mount mount(
      TopicIdPartition id, ForeignTopic origin, Consumer<ManifestView> seen) {
    return new Mount(origin.cluster(), there(id, origin), seen);
  }

  private Optional<Mount> shown(TopicIdPartition partition) {
    return of(partition)
        .filter(f -> f.use() == ForeignTopic.Use.MOUNT)
        .filter(f -> stores.other(f.cluster()).isPresent())
        .map(f -> mount(partition, f, view -> {}));
  }

  /** Whether all of the partition, which is not hosted here, is read from another cluster. */
  public boolean shows(TopicIdPartition partition) {
    return shown(partition).isPresent();
  }

  /** Lets a mounted partition follow the other cluster's; does nothing if it does already. */
  public void follow(Partition partition) {
    Follower follower = followers.get(partition.id());
    if (follower != null) {
      follower.begin();
    }
  }

  /** Whether the partition was mounted and not left since. */
  public boolean follows(TopicIdPartition partition) {
    return followers.containsKey(partition);
  }

  /** Whether a partition that is new here begins with another cluster's history. */
  public boolean foreign(TopicIdPartition partition) {
    return of(partition).isPresent();
  }

  /** The replica goes, or another leads. */
  public void leave(TopicIdPartition partition) {
    Follower follower = followers.remove(partition);
    if (follower != null) {
      follower.end();
      manifests.unmount(partition);
    }
  }

  @Override
  public void close() {
    closed = true;
    followers.values().forEach(Follower::end);
    stores.close();
  }

  /** Moves one mounted partition's empty log to where the other cluster's tier ends. */
  private final class Follower {
    private final Partition partition;
    private volatile boolean failing;
    private @Nullable ScheduledFuture<?> looks;
    private boolean ended;

    Follower(Partition partition) {
      this.partition = partition;
    }

    synchronized void begin() {
      if (looks == null && !ended) {
        looks =
            environment.timer.scheduleWithFixedDelay(
                this::look, 0, environment.refreshMs, TimeUnit.MILLISECONDS);
      }
    }

    synchronized void end() {
      ended = true;
      if (looks != null) {
        looks.cancel(false);
      }
    }

    private void look() {
      var unused =
          manifests
              .read(partition.id())
              .whenComplete(
                  (view, failure) -> {
                    if (failure != null && !failing) {
                      LOG.atWarn()
                          .addKeyValue("partition", partition.id())
                          .addKeyValue("reason", failure.toString())
                          .log("what it mounts can not be looked at");
                    }
                    failing = failure != null;
                  });
    }

    /**
     * Told of every version that anybody read, so that the log start moves when a reader meets it.
     */
    void show(ManifestView view) {
      if (view.startOffset() > partition.logStartOffset()
          || view.endOffset() > partition.logEndOffset()) {
        var unused = partition.step(() -> move(view));
      }
    }

    private void move(ManifestView view) {
      long start = Math.max(view.startOffset(), partition.logStartOffset());
      if (view.endOffset() > partition.logEndOffset() && partition.log().sizeBytes() == 0) {
        partition.log().truncateFullyAndStartAt(view.endOffset(), start);
        partition.log().assignEpoch(SegmentEntry.FOREIGN_EPOCH, start);
      } else {
        partition.log().advanceLogStart(Math.min(start, partition.logEndOffset()));
      }
    }
  }
}

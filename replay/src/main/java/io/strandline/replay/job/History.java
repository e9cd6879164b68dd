package io.strandline.replay.job;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkCache;
import io.strandline.cache.disk.DiskChunks;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.ReplayException;
import io.strandline.replay.TieredReplay;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.manifest.index.CorruptManifestException;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A bucket's history, to be read with no broker: opened by its URI, never written to. Wires
 * together what jobs work with. Threads: any.
 */
public final class History implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(History.class);
  private static final int FILES_AT_ONCE = 8;
  private static final int VIEWS_AT_ONCE = 64;
  private static final long DROP_IDLE_S = 5;

  private final ExecutorService blocking = pool("history-store", FILES_AT_ONCE);
  private final ExecutorService decoding = pool("history-decode", 2);
  private final ScheduledExecutorService scheduler =
      Executors.newSingleThreadScheduledExecutor(daemons("history-timer"));
  private final ExecutorService workers = Executors.newCachedThreadPool(daemons("history-job"));
  private final Waits waits = new Waits();
  private final Consumer<String> warnings;
  private final ObjectStore store;
  private final MountedStores stores;
  private final Manifests manifests;
  private final ChunkCache cache;
  private final TieredReplay replay;
  private final JobServices services;

  private History(HistoryConfig config, Consumer<String> warnings) {
    this.warnings = warnings;
    InstantSource clock = InstantSource.system();
    SecureRandom random = new SecureRandom();
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    StoreRuntime.Time time = new StoreRuntime.Time(clock, System::nanoTime);
    store =
        Stores.open(
            config.uri(),
            config.store(),
            new StoreRuntime(time, random, blocking, scheduler, meters));
    stores =
        new MountedStores(
            store,
            config.others().stream()
                .map(
                    uri ->
                        Stores.open(
                            uri,
                            config.store(),
                            new StoreRuntime(
                                time, random, blocking, scheduler, new SimpleMeterRegistry())))
                .toList());
    manifests =
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(clock, random, decoding, meters));
    CacheConfig memory = CacheConfig.defaults().withMemoryBytes(config.memoryBytes());
    cache =
        new MemoryChunkCache(memory, DiskChunks.open(memory, decoding, meters), decoding, meters);
    replay =
        new TieredReplay(
            FetchConfig.forCacheMemory(config.memoryBytes()).withBounds(config.bounds()),
            new FetchEnvironment(stores, manifests, cache, decoding, System::nanoTime, meters));
    var unused =
        scheduler.scheduleWithFixedDelay(
            replay::dropIdle, DROP_IDLE_S, DROP_IDLE_S, TimeUnit.SECONDS);
    services =
        new JobServices(
            replay,
            manifests,
            new AtomicLong(),
            waits,
            workers,
            clock,
            System::nanoTime,
            TimeUnit.MILLISECONDS::sleep,
            config.unavailableMs(),
            config.bounds());
  }

  /** As {@link #open(HistoryConfig, Consumer)}; warnings are logged. */
  public static History open(HistoryConfig config) {
    return open(
        config, warning -> LOG.atWarn().addKeyValue("reason", warning).log("history is left out"));
  }

  /**
   * Opens a bucket's history.
   *
   * @param warnings told of each damaged manifest that was passed over
   * @throws IllegalArgumentException if the URI names no store, or there is no tier in it
   * @throws CompletionException if the store does not answer
   */
  public static History open(HistoryConfig config, Consumer<String> warnings) {
    History history = new History(config, warnings);
    try {
      history.identify();
      return history;
    } catch (RuntimeException e) {
      history.close();
      throw e;
    }
  }

  private void identify() {
    String owner =
        StoreOwner.read(store)
            .join()
            .orElseThrow(
                () ->
                    new IllegalArgumentException(
                        "no tier in " + store.describe() + ": it has no object named owner"));
    stores.ownedBy(owner);
    if (!stores.identify().join()) {
      throw new IllegalArgumentException("a store of another cluster does not say whose it is");
    }
  }

  /**
   * Every topic of which something is held, but for partitions whose manifest is damaged. Cost: a
   * LIST and a GET for each partition.
   */
  public List<HistoryTopic> topics() {
    return look(waits.join(manifests.partitions())).topics();
  }

  /**
   * A job over a topic's history. Damaged manifests of other topics do not concern it.
   *
   * @throws IllegalArgumentException if there is no such topic or partition, several topics have
   *     the name, or an offset to resume at lies behind the end of what is held
   * @throws ReplayException if the manifest of a partition that is wanted is damaged, or a time has
   *     to be looked up and cannot
   */
  public ReplayJob job(JobSpec spec) {
    Look look = look(candidates(spec.topic()));
    HistoryTopic topic = find(spec.topic(), look);
    look.damaged.forEach(
        (partition, why) -> {
          if (wanted(partition, topic, spec)) {
            throw new ReplayException(
                ReplayException.Kind.CORRUPT,
                ("the manifest of partition %d of %s is damaged: %s; a job of its other partitions"
                        + " has to name them")
                    .formatted(partition.partition(), topic.name(), why),
                null);
          }
        });
    List<ManifestView> views =
        look.views.stream().filter(view -> wanted(view.partition(), topic, spec)).toList();
    for (int partition : spec.partitions()) {
      if (views.stream().noneMatch(view -> view.partition().partition() == partition)) {
        throw new IllegalArgumentException(
            "the bucket holds nothing of partition " + partition + " of " + topic.name());
      }
    }
    return ReplayJob.of(services, spec, views);
  }

  private static boolean wanted(TopicIdPartition partition, HistoryTopic topic, JobSpec spec) {
    return partition.topicId().toString().equals(topic.id())
        && (spec.partitions().isEmpty() || spec.partitions().contains(partition.partition()));
  }

  /** Partitions of the id, if it is one; else all, for only their manifests know their names. */
  private List<TopicIdPartition> candidates(String nameOrId) {
    List<TopicIdPartition> all = waits.join(manifests.partitions());
    List<TopicIdPartition> ofId =
        all.stream().filter(p -> p.topicId().toString().equals(nameOrId)).toList();
    return ofId.isEmpty() ? all : ofId;
  }

  private HistoryTopic find(String nameOrId, Look look) {
    List<HistoryTopic> found =
        look.topics().stream()
            .filter(t -> t.name().equals(nameOrId) || t.id().equals(nameOrId))
            .toList();
    if (found.isEmpty()) {
      throw new IllegalArgumentException(
          "no topic "
              + nameOrId
              + " in "
              + store.describe()
              + (look.damaged.isEmpty()
                  ? ""
                  : ", unless it is one whose manifests are damaged: " + look.damagedPlaces()));
    }
    if (found.size() > 1) {
      throw new IllegalArgumentException(
          "several topics were named "
              + nameOrId
              + "; say which by its id: "
              + found.stream().map(HistoryTopic::id).toList());
    }
    return found.get(0);
  }

  /**
   * What manifests say.
   *
   * @param views of partitions that hold something, or did
   * @param damaged why a partition's manifest cannot be read
   */
  private record Look(List<ManifestView> views, Map<TopicIdPartition, String> damaged) {
    List<HistoryTopic> topics() {
      Map<String, List<ManifestView>> byId = new LinkedHashMap<>();
      for (ManifestView view : views) {
        byId.computeIfAbsent(view.partition().topicId().toString(), id -> new ArrayList<>())
            .add(view);
      }
      return byId.entrySet().stream().map(e -> topic(e.getKey(), e.getValue())).toList();
    }

    List<String> damagedPlaces() {
      return damaged.keySet().stream().map(History::place).toList();
    }
  }

  /** Reads manifests, some at a time. */
  private Look look(List<TopicIdPartition> partitions) {
    Look look = new Look(new ArrayList<>(), new LinkedHashMap<>());
    for (int i = 0; i < partitions.size(); i += VIEWS_AT_ONCE) {
      Map<TopicIdPartition, CompletableFuture<ManifestView>> reads = new LinkedHashMap<>();
      for (TopicIdPartition partition :
          partitions.subList(i, Math.min(partitions.size(), i + VIEWS_AT_ONCE))) {
        reads.put(partition, manifests.read(partition));
      }
      reads.forEach((partition, read) -> add(partition, read, look));
    }
    return look;
  }

  private void add(TopicIdPartition partition, CompletableFuture<ManifestView> read, Look look) {
    try {
      ManifestView view = waits.join(read);
      if (view.version() > 0 && !view.deleted()) {
        look.views.add(view);
      }
    } catch (CompletionException e) {
      String why = CorruptManifestException.damage(e).orElseThrow(() -> e);
      look.damaged.put(partition, why);
      warnings.accept("the manifest of " + place(partition) + " is damaged: " + why);
    }
  }

  private static String place(TopicIdPartition partition) {
    return partition.topicId() + "-" + partition.partition();
  }

  private static HistoryTopic topic(String id, List<ManifestView> views) {
    List<HistoryTopic.Range> ranges =
        views.stream()
            .map(
                view ->
                    new HistoryTopic.Range(
                        view.partition().partition(),
                        view.startOffset(),
                        view.endOffset(),
                        view.sizeBytes()))
            .sorted(Comparator.comparingInt(HistoryTopic.Range::partition))
            .toList();
    return new HistoryTopic(id, views.get(0).partition().topic(), ranges);
  }

  /** Jobs still running fail. */
  @Override
  public void close() {
    replay.close();
    cache.close();
    stores.close();
    store.close();
    waits.close();
    scheduler.shutdownNow();
    workers.shutdownNow();
    // They finish what they were given: the store ends its connections there.
    decoding.shutdown();
    blocking.shutdown();
  }

  private static ExecutorService pool(String name, int threads) {
    return Executors.newFixedThreadPool(threads, daemons(name));
  }

  /** Threads that do not keep the process alive. */
  private static ThreadFactory daemons(String name) {
    return work -> {
      Thread thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}

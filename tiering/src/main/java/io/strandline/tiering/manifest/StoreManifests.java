package io.strandline.tiering.manifest;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.manifest.ManifestLog.Stored;
import io.strandline.tiering.manifest.index.IndexPages;
import io.strandline.tiering.manifest.index.PageCollector;
import io.strandline.tiering.manifest.index.PageRef;
import io.strandline.tiering.manifest.index.PartitionWalk;
import io.strandline.tiering.store.ObjectStore;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.random.RandomGenerator;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Manifests kept in an object store. */
public final class StoreManifests implements Manifests {
  private static final Logger LOG = LoggerFactory.getLogger(StoreManifests.class);

  /**
   * Time, chance and threads.
   *
   * @param random only names things; safe for use by many threads, and no two processes may draw
   *     the same numbers
   * @param executor where versions and pages are encoded and decoded, and hints are read and
   *     written; may be shared
   */
  public record Environment(
      InstantSource clock, RandomGenerator random, Executor executor, MeterRegistry metrics) {}

  /** Versions between two looks for old versions, and between two looks for unused pages. */
  private static final int COLLECT_VERSIONS_EVERY = 16;

  private static final int COLLECT_PAGES_EVERY = 256;

  private final ObjectStore store;
  private final Shared shared;

  private StoreManifests(ObjectStore store, Shared shared) {
    this.store = store;
    this.shared = shared;
  }

  public static StoreManifests open(
      ObjectStore store, ManifestConfig config, Environment environment) {
    InstantSource clock = environment.clock();
    Executor executor = environment.executor();
    IndexPages pages = new IndexPages(store, config.paging(), config.pageCacheBytes(), executor);
    ManifestLog log =
        switch (config.fencing()) {
          case CHAIN -> new ChainedVersions(store, config, clock, executor);
          case SWAP -> new SwappedHead(store, clock);
        };
    Meters meters = Meters.in(environment.metrics());
    PageCollector collector = new PageCollector(store, pages);
    return new StoreManifests(
        store, new Shared(environment, config, log, pages, collector, meters));
  }

  @Override
  public CompletableFuture<ManifestView> read(TopicIdPartition partition) {
    return newest(partition)
        .thenApply(read -> new IndexedView(new PackedVersion(read.version()), shared.pages()));
  }

  @Override
  public CompletableFuture<List<TopicIdPartition>> partitions() {
    return PartitionWalk.over(store, shared.executor());
  }

  @Override
  public CompletableFuture<ManifestWriter> acquire(TopicIdPartition partition, int leaderEpoch) {
    return newest(partition)
        .thenCompose(
            read -> {
              if (read.version().leaderEpoch() > leaderEpoch) {
                throw new FencedException(
                    "leader epoch "
                        + leaderEpoch
                        + " of "
                        + partition
                        + " is over: "
                        + read.version().leaderEpoch()
                        + " has written");
              }
              LeaderWriter writer = new LeaderWriter(shared, leaderEpoch, read);
              return writer.claim().thenApply(claimed -> writer);
            });
  }

  private CompletableFuture<Stored> newest(TopicIdPartition partition) {
    long nowMs = shared.clock().millis();
    return shared
        .log()
        .newest(partition)
        .thenApply(read -> read.orElseGet(() -> ManifestLog.nothing(partition, nowMs)));
  }

  /** What all writers of this process have in common. */
  record Shared(
      Environment environment,
      ManifestConfig config,
      ManifestLog log,
      IndexPages pages,
      PageCollector collector,
      Meters meters) {
    InstantSource clock() {
      return environment.clock();
    }

    Executor executor() {
      return environment.executor();
    }

    Uuid nonce() {
      return new Uuid(environment.random().nextLong(), environment.random().nextLong());
    }

    /**
     * Now and then clears away what is old; nobody waits for it, and a later commit tries again.
     */
    void collectAfter(Stored newest) {
      ManifestVersion version = newest.version();
      if (version.number() % COLLECT_VERSIONS_EVERY == 0) {
        watch(version, log.collect(newest));
      }
      if (version.number() % COLLECT_PAGES_EVERY == 0) {
        List<PageRef> roots = new ArrayList<>(version.pages());
        version.dropped().stream()
            .filter(page -> page.sinceMs() + config.keptMs() > clock().millis())
            .forEach(page -> roots.add(page.page()));
        Instant before = newest.modified().minusMillis(config.keptMs());
        watch(version, collector.collect(version.partition(), roots, before));
      }
    }

    private static void watch(ManifestVersion version, CompletableFuture<?> work) {
      var unused =
          work.whenComplete(
              (done, failure) -> {
                if (failure != null) {
                  LOG.atDebug()
                      .addKeyValue("partition", version.partition())
                      .setCause(failure)
                      .log("old manifest versions or pages stay for now");
                }
              });
    }
  }

  /** What is counted. */
  record Meters(Counter commits, Counter conflicts, Counter fenced) {
    static Meters in(MeterRegistry registry) {
      return new Meters(
          registry.counter("strandline.manifest.commits"),
          registry.counter("strandline.manifest.conflicts"),
          registry.counter("strandline.manifest.fenced"));
    }
  }
}

package io.strandline.broker;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.mount.MountKeys;
import io.strandline.broker.partition.space.DiskSpace;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.restore.BackupKeys;
import io.strandline.broker.restore.MetadataBackup;
import io.strandline.broker.store.HintDirectory;
import io.strandline.broker.store.RewriteKeys;
import io.strandline.broker.store.ScrubKeys;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkCache;
import io.strandline.cache.disk.DiskChunks;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.tiering.GatherConfig;
import io.strandline.tiering.TierConfig;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.store.crypt.FileKeyRing;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.guard.Budget;
import io.strandline.tiering.store.guard.Deadline;
import io.strandline.tiering.store.guard.Rates;
import io.strandline.tiering.store.guard.Retry;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.upload.RecompressionPolicy;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.server.log.remote.storage.RemoteLogManagerConfig;

/** From configuration keys to the records of the object store and all that stands on it. */
final class TierBindings {
  static final String UPLOAD_RATE =
      RemoteLogManagerConfig.REMOTE_LOG_MANAGER_COPY_MAX_BYTES_PER_SECOND_PROP;
  static final String DOWNLOAD_RATE =
      RemoteLogManagerConfig.REMOTE_LOG_MANAGER_FETCH_MAX_BYTES_PER_SECOND_PROP;

  private static final long BUFFER_BYTES_MIN = 64 << 10;

  private TierBindings() {}

  static StoreConfig store(BrokerConfig config) {
    StoreConfig defaults = StoreConfig.defaults();
    Retry retry = defaults.retry();
    return new StoreConfig(
        new Deadline(
            Duration.ofMillis(config.number(ConfigKeys.STORE_TIMEOUT_MS)),
            defaults.deadline().bytesPerSecondMin()),
        new Retry(
            (int) config.number(ConfigKeys.STORE_ATTEMPTS),
            retry.firstDelay(),
            retry.delayMax(),
            retry.giveUpAfter()),
        new Budget(
            lane(config, ConfigKeys.STORE_READS, defaults.budget().reads()),
            lane(config, ConfigKeys.STORE_WRITES, defaults.budget().writes())),
        defaults.circuit(),
        defaults.rates(),
        defaults.multipart(),
        defaults.s3Credentials(),
        keys(config));
  }

  /** Whether what is written from now on is encrypted here. */
  static boolean encrypts(BrokerConfig config) {
    return !config.text(ConfigKeys.ENCRYPTION_KEYRING).isEmpty();
  }

  private static KeyRing keys(BrokerConfig config) {
    String file = config.text(ConfigKeys.ENCRYPTION_KEYRING);
    if (file.isEmpty()) {
      return KeyRing.none();
    }
    try {
      return FileKeyRing.open(Path.of(file), new SecureRandom());
    } catch (IllegalArgumentException e) {
      throw new StartException(ConfigKeys.ENCRYPTION_KEYRING + ": " + e.getMessage(), e);
    }
  }

  /** Kafka's limits of the copy to remote storage and of the fetch from it, as they are now. */
  static Rates rates(Supplier<ClusterView> view) {
    return new Rates(
        () -> view.get().brokerNumber(UPLOAD_RATE), () -> view.get().brokerNumber(DOWNLOAD_RATE));
  }

  private static Budget.Lane lane(BrokerConfig config, String calls, Budget.Lane defaults) {
    long bytes = config.number(ConfigKeys.STORE_BYTES);
    return new Budget.Lane(
        (int) config.number(calls),
        bytes,
        Math.min(defaults.bytesPerCallMax(), bytes),
        defaults.queuedMax());
  }

  /**
   * @param identity of the store, once it is known
   */
  static HintDirectory hints(BrokerConfig config, Supplier<Optional<String>> identity) {
    return new HintDirectory(
        config.ownDirectory().resolve("manifests"), identity, ManifestConfig.defaults().hintMs());
  }

  /**
   * @param hints where what is known of manifests is cached
   */
  static ManifestConfig manifests(BrokerConfig config, HintDirectory hints) {
    ManifestConfig defaults = ManifestConfig.defaults();
    return new ManifestConfig(
        defaults.keptMs(),
        defaults.keptVersions(),
        config.number(ConfigKeys.TIER_GRACE_MS),
        defaults.pageCacheBytes(),
        hints::ofThisStore,
        defaults.fencing(),
        defaults.paging());
  }

  static RecompressionPolicy recompression(BrokerConfig config) {
    return RecompressionPolicy.parse(config.text(ConfigKeys.TIER_RECOMPRESS));
  }

  static TierConfig tier(BrokerConfig config) {
    TierConfig defaults = TierConfig.defaults();
    return new TierConfig(
        new UploadConfig(
            (int) config.number(ConfigKeys.TIER_UPLOADS),
            config.number(ConfigKeys.TIER_UPLOAD_BYTES),
            encrypts(config)),
        new GatherConfig(
            config.number(SpaceConfig.FEW_BYTES),
            config.number(SpaceConfig.FEW_MS),
            config.number(ConfigKeys.TIER_GATHER_BYTES),
            config.number(ConfigKeys.TIER_GATHER_MS)),
        config.number(ConfigKeys.TIER_CHECK_MS),
        config.number(ConfigKeys.TIER_RECLAIM_MS),
        defaults.backoffMinMs(),
        defaults.backoffMaxMs(),
        defaults.segmentsPerCommit(),
        scrub(config),
        () -> rewrite(config));
  }

  /** What is rewritten must not be what stops producers: twice the reserve stays free. */
  static Workbench workbench(BrokerConfig config, Executor executor) {
    Path directory = config.ownDirectory();
    DiskSpace.Sizes sizes = DiskSpace.ofFileSystems();
    SpaceConfig space = Bindings.space(config);
    return new Workbench(
        executor,
        directory.resolve("rewriting"),
        () -> {
          try {
            DiskSpace.Room room = sizes.of(directory);
            return room.usableBytes() - 2 * space.reserve().freeBytes(room.totalBytes());
          } catch (IOException e) {
            return Long.MAX_VALUE; // then the disk says so itself
          }
        });
  }

  static RewriteConfig rewrite(BrokerConfig config) {
    int threads = config.kafkaInt("log.cleaner.threads");
    return new RewriteConfig(
        cleaner(config, threads),
        threads,
        (int) config.number(RewriteKeys.COMPACTION_GET_BYTES),
        config.number(RewriteKeys.MERGE_BYTES),
        config.kafkaNumber("log.cleaner.backoff.ms"),
        config.kafkaDouble("log.cleaner.io.max.bytes.per.second"),
        config.number(MountKeys.COPY_BYTES));
  }

  /** One half of what Kafka's keys allow is for local logs, the other for the tier. */
  static CompactionConfig cleaner(BrokerConfig config, int threads) {
    CompactionConfig defaults = CompactionConfig.defaults();
    long map = config.kafkaNumber("log.cleaner.dedupe.buffer.size") / 2 / threads;
    long buffer = config.kafkaNumber("log.cleaner.io.buffer.size") / 2 / threads / 2;
    return new CompactionConfig(
        (int) Math.min(Integer.MAX_VALUE, Math.max(1 << 10, map)),
        config.kafkaDouble("log.cleaner.io.buffer.load.factor"),
        (int) Math.max(BUFFER_BYTES_MIN, buffer),
        defaults.batchBytesMax(),
        Bindings.batchBounds(config));
  }

  private static ScrubConfig scrub(BrokerConfig config) {
    return new ScrubConfig(
        config.number(ScrubKeys.LIST_MS),
        config.number(ScrubKeys.BYTES),
        config.number(ScrubKeys.ROUND_MS),
        config.number(ScrubKeys.GRACE_MS),
        deletesVersions(config));
  }

  static boolean deletesVersions(BrokerConfig config) {
    return config.text(ScrubKeys.VERSIONS).equals("delete");
  }

  static MetadataBackup.Settings metadataBackup(BrokerConfig config) {
    return new MetadataBackup.Settings(
        config.number(BackupKeys.METADATA_BACKUP_MS),
        (int) config.number(BackupKeys.METADATA_BACKUP_COUNT));
  }

  static CacheConfig cache(BrokerConfig config) {
    return CacheConfig.defaults()
        .withMemoryBytes(config.number(ConfigKeys.CACHE_MEMORY_BYTES))
        .withDisk(config.cacheDirectory(), config.number(ConfigKeys.CACHE_DISK_BYTES));
  }

  static ChunkCache openCache(BrokerConfig config, Threads threads, MeterRegistry meters) {
    CacheConfig cache = cache(config);
    return new MemoryChunkCache(
        cache, DiskChunks.open(cache, threads.cacheDisk, meters), threads.replay, meters);
  }

  static FetchConfig replay(BrokerConfig config) {
    long memory = config.number(ConfigKeys.CACHE_MEMORY_BYTES);
    FetchConfig defaults = FetchConfig.forCacheMemory(memory);
    long given = config.number(ConfigKeys.REPLAY_BUDGET_BYTES);
    int batchBytes = (int) config.number(ConfigKeys.REPLAY_BATCH_BYTES);
    return new FetchConfig(
        defaults.chunkBytes(),
        (int) config.number(ConfigKeys.REPLAY_GET_BYTES),
        given == 0 ? defaults.budgetBytes() : Math.min(given, memory / 4 * 3),
        batchBytes == 0 ? config.kafkaInt("socket.request.max.bytes") : batchBytes,
        defaults.readBytesMax(),
        config.number(ConfigKeys.REPLAY_STALE_MS),
        defaults.indexBytes(),
        defaults.idleMs(),
        Bindings.batchBounds(config));
  }

  /** Needed before the store answers: a topic may be deleted while it is away. */
  static Deletions openDeletions(BrokerConfig config) {
    try {
      return Deletions.open(config.ownDirectory().resolve("deletions"));
    } catch (IOException e) {
      throw new StartException("the list of deletions cannot be read", e);
    }
  }

  static Recompressor openRecompressor(BrokerConfig config, Executor executor, MeterRegistry meters)
      throws IOException {
    return Recompressor.open(
        recompression(config),
        new Recompressor.Workshop(
            executor,
            config.ownDirectory().resolve("recompress"),
            Bindings.batchBounds(config),
            meters));
  }
}

package io.strandline.broker.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkShelf;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.TieredReplay;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The log of a compacted internal topic that was lost: in the tier it is a few bytes over more
 * offsets than a local segment can tell.
 */
class InternalRefillTest {
  private static final TopicIdPartition PARTITION =
      new TopicIdPartition(new Uuid(1, 2), 0, "__consumer_offsets");
  private static final LogConfig COMPACTED = new LogConfig(Map.of("cleanup.policy", "compact"));
  private static final long FAR = 3_000_000_000L;
  private static final int CHUNK = 16 << 10;

  @TempDir Path dir;

  private final Random random = new Random(1);
  private final ObjectStore store = new MemoryObjectStore(Runnable::run, InstantSource.system());
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
  private final Manifests manifests =
      StoreManifests.open(
          store,
          ManifestConfig.defaults(),
          new StoreManifests.Environment(
              InstantSource.system(), random, Runnable::run, new SimpleMeterRegistry()));
  private final MemoryChunkCache cache =
      new MemoryChunkCache(
          CacheConfig.defaults().withSlabBytes(CHUNK).withMemoryBytes(64 * CHUNK),
          ChunkShelf.NONE,
          Runnable::run,
          new SimpleMeterRegistry());
  private final TieredReplay replay =
      new TieredReplay(
          FetchConfig.forCacheMemory(64 * CHUNK),
          new FetchEnvironment(
              OwnedStores.all(store),
              manifests,
              cache,
              Runnable::run,
              System::nanoTime,
              new SimpleMeterRegistry()));
  private ManifestWriter earlier;
  private LogDirectory directory;

  @BeforeEach
  void open() {
    earlier = manifests.acquire(PARTITION, 3).join();
    directory = directory();
  }

  @AfterEach
  void close() {
    directory.close();
    replay.close();
    cache.close();
    timer.shutdownNow();
  }

  @Test
  void batchesLieFartherApartThanASegmentReaches() throws IOException {
    tier(0, FAR / 2, 0, 7);
    tier(FAR / 2, FAR + 1, FAR);
    assertRefilled(0, "0", "7", "" + FAR);
  }

  /** The second read goes on behind the first batch, and finds the next beyond reach. */
  @Test
  void soDoesTheHoleBehindTheFirst() throws IOException {
    tier(0, 2_000_000_000L, 0);
    tier(2_000_000_000L, 4_000_000_000L, 3_999_999_990L, 3_999_999_999L);
    tier(4_000_000_000L, 4_000_000_003L, 4_000_000_000L);
    assertRefilled(0, "0", "3999999990", "3999999999", "4000000000");
  }

  @Test
  void nothingIsLeftBetweenTheStartAndWhatItReaches() throws IOException {
    tier(0, FAR / 2, 0);
    tier(FAR / 2, FAR + 1, FAR);
    earlier.advanceStart(5).join();
    assertRefilled(5, "" + FAR);
  }

  @Test
  void nothingIsLeftAtTheEnd() throws IOException {
    tier(0, FAR / 2, 0);
    tier(FAR / 2, FAR, FAR / 2);
    tier(FAR, FAR + FAR / 2, FAR);
    earlier.advanceStart(FAR + 5).join();
    assertRefilled(FAR + 5);
  }

  private void assertRefilled(long start, String... expected) {
    long end = earlier.view().endOffset();
    LogNursery nursery = directory.nursery(PARTITION);
    new LogRefill(
            new TierTails(OwnedStores.all(store), manifests), manifests, replay, Runnable::run)
        .fill(nursery, OptionalInt.of(4), true)
        .join();
    assertLog(directory.adopt(nursery, COMPACTED), start, end, expected);
    directory.close(); // the process ends without a word
    directory = directory();
    assertLog(directory.openAll(topic -> COMPACTED).get(PARTITION), start, end, expected);
  }

  private static void assertLog(PartitionLog log, long start, long end, String... expected) {
    assertThat(log.logStartOffset()).isEqualTo(start);
    assertThat(log.localLogStartOffset()).as("all of it is here").isEqualTo(start);
    assertThat(log.logEndOffset()).isEqualTo(end);
    assertThat(read(log)).containsExactly(expected);
  }

  /** Values of all records. */
  private static List<String> read(PartitionLog log) {
    List<String> values = new ArrayList<>();
    long offset = log.logStartOffset();
    while (offset < log.logEndOffset()) {
      try (LogRead read = log.read(offset, 1, log.logEndOffset(), true)) {
        if (read.isEmpty()) {
          break;
        }
        for (Record record : read.toMemory().records()) {
          byte[] value = new byte[record.valueSize()];
          record.value().get(value);
          values.add(new String(value, StandardCharsets.UTF_8));
        }
        offset = read.nextOffset();
      }
    }
    return values;
  }

  /** One segment with a record at each of these offsets, whose value is the offset. */
  private void tier(long base, long end, long... offsets) throws IOException {
    Path file = Files.createTempFile(dir, "segment", ".batches");
    long bytes = 0;
    try (var out = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
      for (long offset : offsets) {
        byte[] value = Long.toString(offset).getBytes(StandardCharsets.UTF_8);
        bytes +=
            out.write(
                MemoryRecords.withRecords(
                        offset, Compression.NONE, 3, new SimpleRecord(1_000, value, value))
                    .buffer());
      }
    }
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                PARTITION,
                file,
                bytes,
                base,
                end,
                List.of(),
                List.of(new EpochStart(3, 0)),
                Optional.empty()));
    var key = SegmentId.of(PARTITION, base, random.nextLong()).key();
    store.put(key, encoded.payload()).join();
    earlier.add(List.of(new UploadedSegment(encoded.entry("cluster", key)))).join();
  }

  private LogDirectory directory() {
    return LogDirectory.open(
        dir.resolve("data"),
        new LogRuntime(
            new NioDisk(),
            InstantSource.system(),
            random,
            Runnable::run,
            timer,
            new SimpleMeterRegistry(),
            LogSettings.defaults()));
  }
}

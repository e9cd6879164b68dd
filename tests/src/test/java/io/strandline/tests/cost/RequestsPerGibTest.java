package io.strandline.tests.cost;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkShelf;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import io.strandline.replay.TieredReplay;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tiering.GatherConfig;
import io.strandline.tiering.TierConfig;
import io.strandline.tiering.TierMember;
import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.TierServices;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.file.FileObjectStore;
import io.strandline.tiering.store.s3.S3Config;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Random;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * What a GiB costs that is written and replayed once: at most 20 PUT and 64 GET, with the broker's
 * defaults. {@code -Dcost.gib=N} for more than one.
 */
class RequestsPerGibTest {
  private static final long MIB = 1 << 20;
  private static final long GIB = 1 << 30;
  private static final int PUTS_MAX = 20;
  private static final int GETS_MAX = 64;

  /** As the broker's keys are by default. */
  private static final GatherConfig GATHER = new GatherConfig(512 * MIB, 600_000);

  private static final long CACHE_BYTES = 128 * MIB;

  @TempDir Path directory;

  private final long gib = Long.getLong("cost.gib", 1);
  private final AtomicLong nowMs = new AtomicLong(1_700_000_000_000L);
  private final InstantSource clock = () -> Instant.ofEpochMilli(nowMs.get());
  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void end() throws InterruptedException {
    timer.shutdownNow();
    threads.shutdown();
    assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    assertThat(timer.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
  }

  @Test
  void aGibInSegmentsOf64MibWrittenOneByOneAndReplayedOnce() throws IOException {
    SealedFiles log = new SealedFiles(directory);
    try (PaidRequests written = store(Runnable::run)) {
      write(log, written, 64 * MIB);
      assertThat(written.puts()).as(written.toString()).isLessThanOrEqualTo((int) (PUTS_MAX * gib));
      assertThat(written.count(Operation.GET)).isZero();
      assertThat(written.count(Operation.LIST)).isLessThanOrEqualTo((int) (2 * gib + 2));
      assertThat(written.count(Operation.DELETE)).isZero();
    }
    try (PaidRequests read = store(threads)) {
      replay(log, read);
      assertThat(read.count(Operation.GET))
          .as(read.toString())
          .isLessThanOrEqualTo((int) (GETS_MAX * gib));
      assertThat(read.count(Operation.LIST)).isEqualTo(1);
      assertThat(read.puts()).isZero();
    }
  }

  /** Objects up to the longest put in one request, and those above, which go in parts. */
  @ParameterizedTest
  @ValueSource(longs = {64, 65, 100, 127, 128, 129, 200, 256, 320, 321, 384, 385, 512, 1024, 4096})
  void noLengthFrom64MibOnCostsMorePuts(long segmentMib) {
    double objects = (double) GIB / (segmentMib * MIB);
    double objectPuts = objects * S3Config.Multipart.defaults().requests(segmentMib * MIB);
    long gathered = Math.min(8, -Math.floorDiv(-GATHER.bytes(), segmentMib * MIB));
    double versions = objects / Math.max(1, gathered);
    double pages = versions / 64;
    assertThat(objectPuts + versions + pages).isLessThanOrEqualTo(PUTS_MAX);
  }

  private PaidRequests store(Executor executor) {
    return new PaidRequests(new FileObjectStore(directory.resolve("objects"), executor, clock));
  }

  /** Slowly: the pipeline looks at the log several times between one segment and the next. */
  private void write(SealedFiles log, PaidRequests store, long segmentBytes) throws IOException {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    try (UploadIntents intents = UploadIntents.open(directory.resolve("intents"));
        TierPipeline pipeline =
            new TierPipeline(
                config(),
                new TierServices(
                    "cluster",
                    store,
                    OwnedStores.all(store),
                    manifests(store, Runnable::run, meters),
                    intents,
                    Deletions.open(directory.resolve("deletions")),
                    Runnable::run,
                    new Workbench(Runnable::run, directory.resolve("rewriting")),
                    timer,
                    clock,
                    new Random(7),
                    Recompressor.none(),
                    meters))) {
      pipeline.join(new TierMember(log, log, log::end, 0, TierPolicy::keepAll));
      for (long bytes = 0; bytes < gib * GIB; bytes += segmentBytes) {
        log.seal(segmentBytes);
        for (int look = 0; look < 3; look++) {
          nowMs.addAndGet(10_000);
          pipeline.doWork();
        }
      }
      assertThat(pipeline.progress(log.partition()).orElseThrow().tieredEndOffset())
          .isEqualTo(log.end());
    }
  }

  private static TierConfig config() {
    TierConfig d = TierConfig.defaults();
    return new TierConfig(
        d.upload(),
        GATHER,
        d.checkMs(),
        d.reclaimMs(),
        d.backoffMinMs(),
        d.backoffMaxMs(),
        d.segmentsPerCommit(),
        d.scrub(),
        d.rewrite());
  }

  private Manifests manifests(PaidRequests store, Executor executor, SimpleMeterRegistry meters) {
    return StoreManifests.open(
        store,
        ManifestConfig.defaults(),
        new StoreManifests.Environment(clock, new Random(8), executor, meters));
  }

  private void replay(SealedFiles log, PaidRequests store) {
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    MemoryChunkCache cache =
        new MemoryChunkCache(
            CacheConfig.defaults().withMemoryBytes(CACHE_BYTES), ChunkShelf.NONE, threads, meters);
    try (TieredReplay replay =
        new TieredReplay(
            FetchConfig.forCacheMemory(CACHE_BYTES),
            new FetchEnvironment(
                OwnedStores.all(store),
                manifests(store, threads, meters),
                cache,
                threads,
                System::nanoTime,
                meters))) {
      long offset = 0;
      while (offset < log.end()) {
        ReplayRequest next =
            new ReplayRequest(
                log.partition(), offset, Long.MAX_VALUE, (int) (2 * MIB), true, false, "reader");
        try (ReplayRead read = replay.read(next).join()) {
          ByteBuffer first = read.slices().get(0);
          assertThat(first.getLong(first.position())).isEqualTo(offset);
          assertThat(read.sizeBytes()).isEqualTo((read.nextOffset() - offset) * log.batchBytes());
          offset = read.nextOffset();
        }
      }
    } finally {
      cache.close();
    }
  }
}

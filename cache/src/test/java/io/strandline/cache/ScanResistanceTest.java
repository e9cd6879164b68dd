package io.strandline.cache;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.disk.DiskChunks;
import io.strandline.cache.memory.MemoryChunkCache;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A scan ten times as long as the cache passes, while readers at the tail read the same chunks
 * again and again, each so rarely that a plain LRU of the same size would have lost it by then.
 */
class ScanResistanceTest {
  private static final int SLAB = 4096;
  private static final int SLOTS = 64;
  private static final int SCAN = 10 * SLOTS;
  private static final int HOT = 16;

  /** One hot chunk after so many of the scan: each comes again after 1.25 times the cache. */
  private static final int GAP = 5;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private final SerialExecutor executor = new SerialExecutor();
  private int loads;

  private static ChunkKey chunk(String object, int n) {
    return new ChunkKey(object, (long) n * SLAB, SLAB);
  }

  private CompletableFuture<?> load(ChunkKey key, ByteBuffer target) {
    loads++;
    target.position(target.limit());
    return CompletableFuture.completedFuture(key);
  }

  private Chunk get(ChunkCache cache, ChunkKey key) {
    return cache.get(key, this::load).join();
  }

  private boolean hit(ChunkCache cache, ChunkKey key) {
    int before = loads;
    get(cache, key).release();
    return loads == before;
  }

  private ChunkCache cache(CacheConfig config) {
    return new MemoryChunkCache(
        config, DiskChunks.open(config, executor, registry), executor, registry);
  }

  /** The part of hot reads that need no load while the scan passes. */
  private double hitsBesideScan(ChunkCache cache, int scan, int pinnedAhead) {
    ArrayDeque<Chunk> pinned = new ArrayDeque<>();
    int hits = 0;
    for (int i = 0; i < scan; i++) {
      pinned.add(get(cache, chunk("scan", i)));
      if (pinned.size() > pinnedAhead) {
        pinned.remove().release();
      }
      if (i % GAP == 0 && hit(cache, chunk("tail", i / GAP % HOT))) {
        hits++;
      }
    }
    pinned.forEach(Chunk::release);
    return hits / (double) ((scan + GAP - 1) / GAP);
  }

  private void warm(ChunkCache cache) {
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < HOT; i++) {
        get(cache, chunk("tail", i)).release();
      }
    }
  }

  @Test
  void aPlainLruOfTheSameSizeWouldLoseAll() {
    Map<Integer, Boolean> lru =
        new LinkedHashMap<>(16, 0.75f, true) {
          @Override
          protected boolean removeEldestEntry(Map.Entry<Integer, Boolean> eldest) {
            return size() > SLOTS;
          }
        };
    int hits = 0;
    for (int i = 0; i < SCAN; i++) {
      lru.put(i, true);
      if (i % GAP == 0 && lru.put(-1 - i / GAP % HOT, true) != null) {
        hits++;
      }
    }
    assertThat(hits).isZero();
  }

  @Test
  void memoryKeepsWhatTailReadersUse() {
    try (ChunkCache cache =
        cache(new CacheConfig((long) SLOTS * SLAB, 0, SLAB, Optional.empty()))) {
      warm(cache);
      assertThat(hitsBesideScan(cache, SCAN, 0)).isGreaterThanOrEqualTo(0.95);
    }
  }

  /** Read-ahead keeps references to as much as half of the memory, which is its budget. */
  @Test
  void memoryKeepsItWhenTheScanIsReadAhead() {
    try (ChunkCache cache =
        cache(new CacheConfig((long) SLOTS * SLAB, 0, SLAB, Optional.empty()))) {
      warm(cache);
      assertThat(hitsBesideScan(cache, SCAN, SLOTS / 2)).isGreaterThanOrEqualTo(0.95);
    }
  }

  /**
   * The disk admits what is loaded a second time while it is remembered, so a history of three
   * times its size that is replayed again and again. The memory is too small for the hot chunks, so
   * that they are read from disk.
   */
  @Test
  void diskKeepsWhatTailReadersUseThroughFurtherReplaysToo(@TempDir Path dir) {
    CacheConfig config =
        new CacheConfig(2L * SLAB, (long) SLOTS * (SLAB + 1024), SLAB, Optional.of(dir));
    try (ChunkCache cache = cache(config)) {
      warm(cache);
      for (int replay = 0; replay < 5; replay++) {
        assertThat(hitsBesideScan(cache, 3 * SLOTS, 0))
            .as("replay " + replay)
            .isGreaterThanOrEqualTo(0.95);
      }
    }
  }

  @Test
  void diskTakesWhatIsReadNowForWhatIsReadNoMore(@TempDir Path dir) {
    CacheConfig config =
        new CacheConfig(2L * SLAB, (long) SLOTS * (SLAB + 1024), SLAB, Optional.of(dir));
    try (ChunkCache cache = cache(config)) {
      for (int round = 0; round < 20; round++) {
        for (int i = 0; i < SLOTS; i++) {
          get(cache, chunk("before", i)).release();
        }
      }
      int hits = 0;
      for (int round = 0; round < 20; round++) {
        hits = 0;
        for (int i = 0; i < HOT; i++) {
          hits += hit(cache, chunk("now", i)) ? 1 : 0;
        }
      }
      // Two chunks of one place in the table of what was seen keep each other out.
      assertThat(hits).isGreaterThanOrEqualTo(HOT * 3 / 4);
    }
  }
}

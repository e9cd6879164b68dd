package io.strandline.replay.fetch;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkCache;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkLoader;
import io.strandline.replay.plan.ChunkPlan;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.ReadRange;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/**
 * Chunks of segments from the cache; those that it misses are loaded together, one request for a
 * run of adjacent ones. Who calls has reserved the bytes. Threads: any.
 */
final class SegmentChunks {
  private final OwnedStores stores;
  private final ChunkCache cache;
  private final ChunkPlan plan;
  private final Counter gets;
  private final Counter getBytes;

  SegmentChunks(OwnedStores stores, ChunkCache cache, ChunkPlan plan, MeterRegistry registry) {
    this.stores = stores;
    this.cache = cache;
    this.plan = plan;
    this.gets = registry.counter("strandline.replay.gets", "of", "data");
    this.getBytes =
        Counter.builder("strandline.replay.get.bytes").baseUnit("bytes").register(registry);
  }

  /** One future per chunk, each with a reference that the caller owns. */
  List<CompletableFuture<Chunk>> get(SegmentEntry entry, int firstChunk, int count) {
    List<ChunkKey> keys =
        IntStream.range(firstChunk, firstChunk + count)
            .mapToObj(chunk -> plan.keyOf(entry, chunk))
            .toList();
    Map<ChunkKey, ChunkLoader> loaders = new HashMap<>();
    for (ChunkPlan.Run run : plan.coalesce(keys, key -> !cache.holds(key))) {
      RunLoader loader = loader(entry, run);
      run.chunks().forEach(key -> loaders.put(key, loader));
    }
    List<CompletableFuture<Chunk>> chunks = new ArrayList<>(count);
    for (ChunkKey key : keys) {
      ChunkLoader loader = loaders.get(key);
      chunks.add(cache.get(key, loader == null ? loader(entry, key) : loader));
    }
    return chunks;
  }

  /**
   * Bytes of a segment's data on the heap, by requests one after another, past the cache.
   *
   * @return position 0; fails as the store does
   */
  CompletableFuture<ByteBuffer> uncached(SegmentEntry entry, long positionBytes, int lengthBytes) {
    ByteBuffer all = ByteBuffer.allocate(lengthBytes);
    return piece(entry, positionBytes, all, 0).thenApply(nothing -> all);
  }

  private CompletableFuture<Void> piece(
      SegmentEntry entry, long positionBytes, ByteBuffer all, int from) {
    if (from == all.capacity()) {
      return CompletableFuture.completedFuture(null);
    }
    int length = Math.min(plan.getBytesMax(), all.capacity() - from);
    long position = entry.positionBytes() + positionBytes + from;
    Landing landing =
        new Landing(length, (at, bytes) -> all.duplicate().position(from + at).put(bytes));
    gets.increment();
    getBytes.increment(length);
    return stores
        .of(entry.ownerCluster())
        .get(new ReadRange(entry.object(), position, length), landing)
        .whenComplete((done, failure) -> landing.close())
        .thenCompose(
            done -> {
              if (!landing.whole()) {
                throw new IllegalStateException("a store gave less than was asked for");
              }
              return piece(entry, positionBytes, all, from + length);
            });
  }

  /** Forgets bytes that turned out bad, or whose object is gone. */
  void forget(SegmentEntry entry) {
    cache.forget(entry.object().value());
  }

  private RunLoader loader(SegmentEntry entry, ChunkPlan.Run run) {
    ReadRange range = new ReadRange(entry.object(), run.positionBytes(), run.lengthBytes());
    return new RunLoader(
        run,
        landing -> {
          gets.increment();
          getBytes.increment(run.lengthBytes());
          return stores.of(entry.ownerCluster()).get(range, landing);
        });
  }

  private ChunkLoader loader(SegmentEntry entry, ChunkKey key) {
    return loader(entry, new ChunkPlan.Run(key.positionBytes(), key.lengthBytes(), List.of(key)));
  }
}

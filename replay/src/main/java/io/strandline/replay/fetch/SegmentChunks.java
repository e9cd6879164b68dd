package io.strandline.replay.fetch;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkCache;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkLoader;
import io.strandline.replay.plan.ChunkPlan;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Chunks of segments from the cache; those that it misses are loaded together, one request for a
 * run of adjacent ones. Who calls has reserved the bytes. Threads: any.
 */
final class SegmentChunks {
  private final ObjectStore store;
  private final ChunkCache cache;
  private final ChunkPlan plan;
  private final Counter gets;
  private final Counter getBytes;

  SegmentChunks(ObjectStore store, ChunkCache cache, ChunkPlan plan, MeterRegistry registry) {
    this.store = store;
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
      RunLoader loader = new RunLoader(entry.object(), run);
      run.chunks().forEach(key -> loaders.put(key, loader));
    }
    List<CompletableFuture<Chunk>> chunks = new ArrayList<>(count);
    for (ChunkKey key : keys) {
      chunks.add(cache.get(key, loaders.getOrDefault(key, k -> request(entry.object(), k))));
    }
    return chunks;
  }

  /** Forgets bytes that turned out bad, or whose object is gone. */
  void forget(SegmentEntry entry) {
    cache.forget(entry.object().value());
  }

  private CompletableFuture<ByteBuffer> request(ObjectKey object, ChunkKey key) {
    return request(object, key.positionBytes(), key.lengthBytes());
  }

  private CompletableFuture<ByteBuffer> request(ObjectKey object, long from, int lengthBytes) {
    gets.increment();
    getBytes.increment(lengthBytes);
    return store.get(object, from, lengthBytes);
  }

  /** One request, sent when the first of its chunks is asked for, cut into slices. */
  private final class RunLoader implements ChunkLoader {
    private final ObjectKey object;
    private final ChunkPlan.Run run;
    private @Nullable CompletableFuture<ByteBuffer> response;

    RunLoader(ObjectKey object, ChunkPlan.Run run) {
      this.object = object;
      this.run = run;
    }

    @Override
    public CompletableFuture<ByteBuffer> load(ChunkKey key) {
      int from = (int) (key.positionBytes() - run.positionBytes());
      return response().thenApply(bytes -> bytes.slice(bytes.position() + from, key.lengthBytes()));
    }

    private synchronized CompletableFuture<ByteBuffer> response() {
      if (response == null) {
        response = request(object, run.positionBytes(), run.lengthBytes());
      }
      return response;
    }
  }
}

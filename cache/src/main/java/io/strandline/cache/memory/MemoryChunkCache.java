package io.strandline.cache.memory;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import com.github.benmanes.caffeine.cache.RemovalCause;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkCache;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkLoader;
import io.strandline.cache.ChunkShelf;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import org.jspecify.annotations.Nullable;

/**
 * Chunks in pooled memory over a {@link ChunkShelf}.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>Memory in use, including chunks being filled and chunks evicted while somebody reads them,
 *       never exceeds the budget: a block is reserved before a byte is asked for.
 *   <li>At most one fill of a key runs at a time, and it runs to its end whoever gives up waiting.
 *   <li>A block goes back to the pool exactly once, with its last reference; that of a fill that
 *       fails when the loader has said so, for until then it may write.
 * </ol>
 *
 * <p>Which chunks stay is W-TinyLFU's choice (Einziger, Friedman, Manes 2017): a chunk read once
 * does not displace one read often. Whoever loads ahead keeps a reference until the bytes are used.
 *
 * <p>Loaders write into the chunk's own memory; completions run on the executor given.
 */
public final class MemoryChunkCache implements ChunkCache {
  /** Share of the budget that fills and evicted chunks find free without evicting: an eighth. */
  private static final int HEADROOM_SHIFT = 3;

  private final SlabPool pool;
  private final Reservations reservations;
  private final ChunkShelf shelf;
  private final Executor executor;
  private final CacheMeters meters;
  private final Cache<ChunkKey, PooledChunk> held;
  private final Policy.Eviction<ChunkKey, PooledChunk> eviction;
  private final ConcurrentHashMap<ChunkKey, Fill> fills = new ConcurrentHashMap<>();

  /**
   * @param shelf the tier below, closed with this cache
   * @param executor for callers' continuations; never blocked
   */
  public MemoryChunkCache(
      CacheConfig config, ChunkShelf shelf, Executor executor, MeterRegistry registry) {
    this.pool = new SlabPool(config.memoryBytes(), config.slabBytes());
    this.reservations = new Reservations(pool, this::evict);
    this.shelf = shelf;
    this.executor = executor;
    this.held =
        Caffeine.newBuilder()
            .maximumWeight(pool.budgetBytes() - (pool.budgetBytes() >> HEADROOM_SHIFT))
            .weigher((ChunkKey key, PooledChunk chunk) -> chunk.blockBytes())
            .executor(Runnable::run)
            .removalListener(this::onRemoval)
            .build();
    this.eviction = held.policy().eviction().orElseThrow();
    this.meters = new CacheMeters(registry, this);
  }

  @Override
  public CompletableFuture<Chunk> get(ChunkKey key, ChunkLoader loader) {
    PooledChunk chunk = retainHeld(key);
    if (chunk != null) {
      meters.memoryHit();
      return CompletableFuture.completedFuture(chunk);
    }
    CompletableFuture<Chunk> caller = new CompletableFuture<>();
    Fill[] begun = new Fill[1];
    fills.compute(
        key,
        (k, running) -> {
          if (running != null) {
            meters.joined();
            running.join(caller);
            return running;
          }
          // A fill may have ended between the look above and here.
          PooledChunk now = retainQuietly(k);
          if (now != null) {
            meters.memoryHit();
            caller.complete(now);
            return null;
          }
          begun[0] = new Fill(k, loader);
          begun[0].join(caller);
          return begun[0];
        });
    if (begun[0] != null) {
      run(begun[0]);
    }
    return caller;
  }

  @Override
  public Optional<Chunk> peek(ChunkKey key) {
    PooledChunk chunk = retainHeld(key);
    if (chunk != null) {
      meters.memoryHit();
    }
    return Optional.ofNullable(chunk);
  }

  @Override
  public boolean holds(ChunkKey key) {
    return held.policy().getIfPresentQuietly(key) != null
        || fills.containsKey(key)
        || shelf.holds(key);
  }

  @Override
  public void forget(String object) {
    held.asMap().keySet().removeIf(key -> key.object().equals(object));
    shelf.forget(object);
  }

  public CacheUsage usage() {
    held.cleanUp();
    return new CacheUsage(
        pool.budgetBytes(),
        pool.usedBytes(),
        eviction.weightedSize().orElse(0),
        fills.size(),
        reservations.waiting());
  }

  /** Drops what it holds and fails who waits for memory; chunks handed out stay readable. */
  @Override
  public void close() {
    reservations.close();
    held.invalidateAll();
    held.cleanUp();
    shelf.close();
  }

  private void run(Fill fill) {
    CompletableFuture<SlabPool.Block> reserved = reservations.reserve(fill.key.lengthBytes());
    if (reserved.isDone() && !reserved.isCompletedExceptionally()) {
      readShelf(fill, reserved.join());
      return;
    }
    CompletableFuture<?> unused =
        // Memory may be granted by whoever releases a chunk, an event loop or the policy's upkeep.
        reserved.whenCompleteAsync(
            (block, failure) -> {
              if (failure != null) {
                fail(fill, null, failure);
              } else {
                readShelf(fill, block);
              }
            },
            executor);
  }

  private void readShelf(Fill fill, SlabPool.Block block) {
    if (!shelf.holds(fill.key)) {
      load(fill, block);
      return;
    }
    CompletableFuture<?> unused =
        shelf
            .read(fill.key, block.view(fill.key.lengthBytes()))
            .whenCompleteAsync(
                (found, failure) -> {
                  if (failure == null && found) {
                    meters.diskHit();
                    publish(fill, new PooledChunk(fill.key, block, reservations), false);
                  } else {
                    load(fill, block);
                  }
                },
                executor);
  }

  private void load(Fill fill, SlabPool.Block block) {
    meters.miss();
    ByteBuffer target = block.view(fill.key.lengthBytes());
    CompletableFuture<?> unused =
        fill.load(target)
            .whenCompleteAsync(
                (done, failure) -> {
                  if (failure != null) {
                    fail(fill, block, failure);
                  } else if (target.hasRemaining()) {
                    fail(fill, block, tooShort(fill.key, target.remaining()));
                  } else {
                    meters.filled(fill.key.lengthBytes());
                    publish(fill, new PooledChunk(fill.key, block, reservations), true);
                  }
                },
                executor);
  }

  private void publish(Fill fill, PooledChunk chunk, boolean loaded) {
    chunk.retain();
    held.put(fill.key, chunk);
    List<CompletableFuture<Chunk>> callers = end(fill);
    for (CompletableFuture<Chunk> caller : callers) {
      chunk.retain();
      if (!caller.complete(chunk)) {
        chunk.release();
      }
    }
    if (loaded) {
      shelf.offer(chunk);
    }
    chunk.release();
  }

  private void fail(Fill fill, SlabPool.@Nullable Block block, Throwable failure) {
    meters.failed();
    List<CompletableFuture<Chunk>> callers = end(fill);
    if (block != null) {
      reservations.free(block);
    }
    callers.forEach(caller -> caller.completeExceptionally(failure));
  }

  private List<CompletableFuture<Chunk>> end(Fill fill) {
    fills.remove(fill.key, fill);
    return fill.callers();
  }

  private @Nullable PooledChunk retainHeld(ChunkKey key) {
    PooledChunk chunk = held.getIfPresent(key);
    return chunk != null && chunk.tryRetain() ? chunk : null;
  }

  /** As above, without the policy's upkeep, which may call out and must not under a map's lock. */
  private @Nullable PooledChunk retainQuietly(ChunkKey key) {
    PooledChunk chunk = held.policy().getIfPresentQuietly(key);
    return chunk != null && chunk.tryRetain() ? chunk : null;
  }

  private void onRemoval(@Nullable ChunkKey key, @Nullable PooledChunk chunk, RemovalCause cause) {
    if (chunk != null) {
      meters.evicted(cause.wasEvicted());
      chunk.release();
    }
  }

  /** Lets go of the coldest chunks that nobody reads until so many bytes are free. */
  private boolean evict(int blockBytes) {
    List<ChunkKey> victims =
        eviction.coldest(
            entries -> {
              long[] bytes = {0};
              return entries
                  .filter(entry -> entry.getValue().unshared())
                  .takeWhile(entry -> bytes[0] < blockBytes)
                  .peek(entry -> bytes[0] += entry.getValue().blockBytes())
                  .map(Policy.CacheEntry::getKey)
                  .toList();
            });
    for (ChunkKey victim : victims) {
      meters.pressed();
      held.invalidate(victim);
    }
    return !victims.isEmpty();
  }

  private static IllegalStateException tooShort(ChunkKey key, int missingBytes) {
    return new IllegalStateException("a loader left out " + missingBytes + " bytes of " + key);
  }
}

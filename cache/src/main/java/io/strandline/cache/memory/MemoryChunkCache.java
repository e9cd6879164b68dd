package io.strandline.cache.memory;

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
 * <p>Which chunks stay is the choice of {@link Residents}: a chunk read once does not displace one
 * read often. Whoever loads ahead keeps a reference until the bytes are used.
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
  private final Residents held;
  private final long heldBytesMax;
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
    this.held = new Residents(pool.budgetBytes(), (int) (pool.budgetBytes() / config.slabBytes()));
    this.heldBytesMax = pool.budgetBytes() - (pool.budgetBytes() >> HEADROOM_SHIFT);
    this.meters = new CacheMeters(registry, this);
  }

  @Override
  public CompletableFuture<Chunk> get(ChunkKey key, ChunkLoader loader) {
    PooledChunk chunk = held.retain(key);
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
          PooledChunk now = held.retain(k);
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
    PooledChunk chunk = held.retain(key);
    if (chunk != null) {
      meters.memoryHit();
    }
    return Optional.ofNullable(chunk);
  }

  @Override
  public boolean holds(ChunkKey key) {
    return held.holds(key) || fills.containsKey(key) || shelf.holds(key);
  }

  @Override
  public int memoryBytes(int lengthBytes) {
    return SlabPool.blockBytes(lengthBytes);
  }

  @Override
  public void forget(String object) {
    held.forget(object).forEach(PooledChunk::release);
    shelf.forget(object);
  }

  public CacheUsage usage() {
    return new CacheUsage(
        pool.budgetBytes(), pool.usedBytes(), held.bytes(), fills.size(), reservations.waiting());
  }

  /** Drops what it holds and fails who waits for memory; chunks handed out stay readable. */
  @Override
  public void close() {
    reservations.close();
    held.clear().forEach(PooledChunk::release);
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
    PooledChunk before = held.put(chunk);
    if (before != null) {
      before.release();
    }
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
    trim();
  }

  /** Keeps some memory free, so that fills need not wait for evictions. */
  private void trim() {
    while (held.bytes() > heldBytesMax) {
      PooledChunk victim = held.evict();
      if (victim == null) {
        return;
      }
      meters.evicted();
      victim.release();
    }
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

  /** Lets go of the next chunk that nobody reads. */
  private boolean evict() {
    PooledChunk victim = held.evict();
    if (victim == null) {
      return false;
    }
    meters.pressed();
    victim.release();
    return true;
  }

  private static IllegalStateException tooShort(ChunkKey key, int missingBytes) {
    return new IllegalStateException("a loader left out " + missingBytes + " bytes of " + key);
  }
}

package io.strandline.cache.memory;

import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Hands out memory in the order it was asked for, before anything is put into it: who finds none
 * waits until enough was evicted or released.
 *
 * <p>One thread at a time serves the queue; others that come meanwhile leave a mark and go on, so
 * that nobody waits and a release inside an eviction does not recurse.
 */
final class Reservations {
  /** Frees memory that nobody reads. */
  interface Evictor {
    /**
     * Frees what goes next.
     *
     * @return whether anything was freed
     */
    boolean evict();
  }

  private record Waiter(int lengthBytes, CompletableFuture<SlabPool.Block> granted) {}

  private final SlabPool pool;
  private final Evictor evictor;
  private final AtomicInteger marks = new AtomicInteger();
  private final AtomicInteger waiting = new AtomicInteger();
  private final ArrayDeque<Waiter> queue = new ArrayDeque<>();
  private boolean closed;

  Reservations(SlabPool pool, Evictor evictor) {
    this.pool = pool;
    this.evictor = evictor;
  }

  /** A block of at least the bytes asked for; whoever gets it gives it back to {@link #free}. */
  CompletableFuture<SlabPool.Block> reserve(int lengthBytes) {
    if (lengthBytes > pool.blockBytesMax()) {
      return CompletableFuture.failedFuture(
          new IllegalArgumentException(
              "a chunk of "
                  + lengthBytes
                  + " bytes does not fit a slab of "
                  + pool.blockBytesMax()));
    }
    Waiter waiter = new Waiter(lengthBytes, new CompletableFuture<>());
    synchronized (queue) {
      if (closed) {
        return CompletableFuture.failedFuture(new IllegalStateException("the cache is closed"));
      }
      queue.add(waiter);
      waiting.incrementAndGet();
    }
    serve();
    return waiter.granted;
  }

  void free(SlabPool.Block block) {
    pool.free(block);
    onRelease();
  }

  /** Something may be free or evictable that was not before. */
  void onRelease() {
    if (waiting.get() > 0) {
      serve();
    }
  }

  int waiting() {
    return waiting.get();
  }

  void close() {
    ArrayDeque<Waiter> left;
    synchronized (queue) {
      closed = true;
      left = new ArrayDeque<>(queue);
      queue.clear();
      waiting.addAndGet(-left.size());
    }
    left.forEach(
        w -> w.granted.completeExceptionally(new IllegalStateException("the cache is closed")));
  }

  private void serve() {
    if (marks.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    do {
      while (serveFirst()) {}
      seen = marks.addAndGet(-seen);
    } while (seen != 0);
  }

  private boolean serveFirst() {
    Waiter first;
    synchronized (queue) {
      first = queue.peek();
    }
    if (first == null) {
      return false;
    }
    SlabPool.Block block = allocate(first.lengthBytes);
    if (block == null) {
      return false;
    }
    synchronized (queue) {
      if (closed) {
        pool.free(block);
        return false;
      }
      queue.remove();
      waiting.decrementAndGet();
    }
    first.granted.complete(block);
    return true;
  }

  private SlabPool.@Nullable Block allocate(int lengthBytes) {
    SlabPool.Block block = pool.allocate(lengthBytes);
    while (block == null && evictor.evict()) {
      block = pool.allocate(lengthBytes);
    }
    return block;
  }
}

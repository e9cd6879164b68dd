package io.strandline.cache.memory;

import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkKey;
import java.nio.ByteBuffer;
import java.util.concurrent.atomic.AtomicInteger;

/** A filled block; its memory goes back to the pool with the last reference. */
final class PooledChunk implements Chunk {
  private final ChunkKey key;
  private final SlabPool.Block block;
  private final ByteBuffer bytes;
  private final Reservations memory;
  private final AtomicInteger references = new AtomicInteger(1);

  PooledChunk(ChunkKey key, SlabPool.Block block, Reservations memory) {
    this.key = key;
    this.block = block;
    this.bytes = block.view(key.lengthBytes()).asReadOnlyBuffer();
    this.memory = memory;
  }

  @Override
  public ChunkKey key() {
    return key;
  }

  @Override
  public ByteBuffer bytes() {
    return bytes.duplicate();
  }

  @Override
  public Chunk retain() {
    if (!tryRetain()) {
      throw new IllegalStateException("a chunk was retained after its last release: " + key);
    }
    return this;
  }

  /** Takes a reference unless the last one is gone. */
  boolean tryRetain() {
    int now = references.get();
    while (now > 0) {
      if (references.compareAndSet(now, now + 1)) {
        return true;
      }
      now = references.get();
    }
    return false;
  }

  @Override
  public void release() {
    int left = references.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException("a chunk was released too often: " + key);
    }
    if (left == 0) {
      memory.free(block);
    } else if (left == 1) {
      // Perhaps only the cache's own reference is left: then it can be evicted from now on.
      memory.onRelease();
    }
  }

  /** Whether nobody but the one holder that asks has a reference. */
  boolean unshared() {
    return references.get() == 1;
  }

  int blockBytes() {
    return block.sizeBytes();
  }
}

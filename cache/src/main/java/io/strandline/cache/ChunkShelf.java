package io.strandline.cache;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/**
 * A slower, larger place for chunks under the memory of a {@link ChunkCache}. It may lose any chunk
 * at any time and never fails: what it cannot give back intact is a miss. Threads: any; no method
 * blocks.
 */
public interface ChunkShelf extends AutoCloseable {
  /** A shelf that holds nothing. */
  ChunkShelf NONE =
      new ChunkShelf() {
        @Override
        public boolean holds(ChunkKey key) {
          return false;
        }

        @Override
        public CompletableFuture<Boolean> read(ChunkKey key, ByteBuffer target) {
          return CompletableFuture.completedFuture(false);
        }

        @Override
        public void offer(Chunk chunk) {}

        @Override
        public void forget(String object) {}

        @Override
        public void close() {}
      };

  /** Whether a read would probably find the chunk. */
  boolean holds(ChunkKey key);

  /**
   * Fills {@code target}, whose remaining bytes are the chunk's length.
   *
   * @return whether all bytes are there and their checksum holds; on false the target is garbage
   */
  CompletableFuture<Boolean> read(ChunkKey key, ByteBuffer target);

  /**
   * Takes a chunk that was just loaded, or not: admission is the shelf's own affair. Takes its own
   * reference if it needs the chunk beyond this call.
   */
  void offer(Chunk chunk);

  /** Forgets every chunk of an object that is gone. */
  void forget(String object);

  @Override
  void close();
}

package io.strandline.cache;

import java.util.Optional;
import java.util.concurrent.CompletableFuture;

/**
 * Chunks by key: memory first, then disk, then the loader.
 *
 * <p>Single flight: while a chunk is being filled, everyone who asks for it waits for that one
 * fill; a caller that cancels its own future never cancels the fill. Threads: any; no method
 * blocks.
 */
public interface ChunkCache extends AutoCloseable {
  /**
   * The chunk, with one reference that the caller owns unless it cancelled the future first. Waits
   * for memory when all of it is referenced or being filled.
   */
  CompletableFuture<Chunk> get(ChunkKey key, ChunkLoader loader);

  /** The chunk if it is in memory now, with one reference that the caller owns. */
  Optional<Chunk> peek(ChunkKey key);

  /**
   * A hint for whoever plans loads: whether the chunk is in memory, on disk or being filled now. It
   * may be gone a moment later.
   */
  boolean holds(ChunkKey key);

  /** How much memory a chunk of so many bytes takes: what it may lie in is not of every size. */
  int memoryBytes(int lengthBytes);

  /** Forgets every chunk of an object that is gone. */
  void forget(String object);

  @Override
  void close();
}

package io.strandline.cache;

import java.nio.ByteBuffer;

/**
 * The bytes of one {@link ChunkKey}, counted by reference.
 *
 * <p>Whoever is handed a chunk owns one reference and calls {@link #release()} once when done;
 * after that neither the chunk nor a buffer got from it may be touched. Safe for use by several
 * threads.
 */
public interface Chunk {
  ChunkKey key();

  /** A read-only view of all bytes of the chunk, with position and limit of its own. */
  ByteBuffer bytes();

  /**
   * Takes one more reference; fails with {@link IllegalStateException} when the last one is gone.
   */
  Chunk retain();

  void release();
}

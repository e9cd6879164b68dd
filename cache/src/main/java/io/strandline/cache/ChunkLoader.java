package io.strandline.cache;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;

/**
 * Where a chunk comes from when no tier of the cache holds it. Never blocks; called once per fill,
 * whoever waits.
 */
@FunctionalInterface
public interface ChunkLoader {
  /**
   * Fills {@code target} up to its limit.
   *
   * @param target where the chunk will lie; exactly {@link ChunkKey#lengthBytes()} bytes remain. It
   *     is the loader's until the future completes, and somebody else's from then on: also a load
   *     that failed must not touch it after that
   * @return completes when the target is full, or with a failure that is handed to all who wait and
   *     is not remembered
   */
  CompletableFuture<?> load(ChunkKey key, ByteBuffer target);
}

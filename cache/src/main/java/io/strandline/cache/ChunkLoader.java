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
   * @return exactly {@link ChunkKey#lengthBytes()} bytes, or a failure that is handed to all who
   *     wait and is not remembered
   */
  CompletableFuture<ByteBuffer> load(ChunkKey key);
}

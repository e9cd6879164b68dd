package io.strandline.cache.memory;

import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkLoader;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;

/**
 * One chunk on its way into memory and those who wait for it. Joined only under the map's lock for
 * its key, as is its removal from the map: after that nobody can join.
 */
final class Fill {
  final ChunkKey key;
  private final ChunkLoader loader;
  private final List<CompletableFuture<Chunk>> callers = new ArrayList<>(1);

  Fill(ChunkKey key, ChunkLoader loader) {
    this.key = key;
    this.loader = loader;
  }

  synchronized void join(CompletableFuture<Chunk> caller) {
    callers.add(caller);
  }

  synchronized List<CompletableFuture<Chunk>> callers() {
    return List.copyOf(callers);
  }

  CompletableFuture<?> load(ByteBuffer target) {
    try {
      return loader.load(key, target);
    } catch (RuntimeException | Error e) { // else all who ask for the chunk would wait for ever
      return CompletableFuture.failedFuture(e);
    }
  }
}

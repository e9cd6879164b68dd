package io.strandline.replay.job;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;

/**
 * What threads of jobs wait for. When the history is closed, whoever would have answered may be
 * gone: it all fails then. Threads: any.
 */
final class Waits implements AutoCloseable {
  private final Map<Object, CompletableFuture<?>> open = new ConcurrentHashMap<>();
  private volatile boolean closed;

  /** As {@link CompletableFuture#join}, but not beyond {@link #close}. */
  <T> T join(CompletableFuture<T> asked) {
    Object wait = new Object();
    open.put(wait, asked);
    try {
      if (closed) {
        fail(asked);
      }
      return asked.join();
    } finally {
      open.remove(wait);
    }
  }

  @Override
  public void close() {
    closed = true;
    open.values().forEach(Waits::fail);
  }

  private static void fail(CompletableFuture<?> asked) {
    asked.completeExceptionally(new IllegalStateException("the history was closed"));
  }
}

package io.strandline.broker.partition;

import io.strandline.broker.log.Appended;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;

/**
 * Appends with acks=all that wait for the high watermark, in order of offsets, which is the order
 * of appends. Belongs to the partition's owner.
 */
final class AckQueue {
  private record Waiting(Appended appended, CompletableFuture<Appended> acknowledged) {}

  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

  void add(Appended appended, CompletableFuture<Appended> acknowledged) {
    while (!waiting.isEmpty() && waiting.peek().acknowledged().isDone()) {
      waiting.remove(); // timed out
    }
    waiting.add(new Waiting(appended, acknowledged));
  }

  /**
   * Hands over completions of what lies below the high watermark. A duplicate stands behind appends
   * of higher offsets and waits for them, which is harmless.
   */
  void reached(long highWatermark, Consumer<Runnable> after) {
    while (!waiting.isEmpty() && waiting.peek().appended().lastOffset() < highWatermark) {
      Waiting done = waiting.remove();
      after.accept(() -> done.acknowledged().complete(done.appended()));
    }
  }

  void fail(Throwable failure, Consumer<Runnable> after) {
    while (!waiting.isEmpty()) {
      Waiting failed = waiting.remove();
      after.accept(() -> failed.acknowledged().completeExceptionally(failure));
    }
  }

  int size() {
    return waiting.size();
  }
}

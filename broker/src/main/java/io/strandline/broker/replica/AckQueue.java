package io.strandline.broker.replica;

import io.strandline.broker.log.Appended;
import java.util.ArrayDeque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.apache.kafka.common.errors.NotEnoughReplicasAfterAppendException;

/**
 * Appends with acks=all that wait for the high watermark, in order of offsets, which is the order
 * of appends. Belongs to the partition's owner.
 */
public final class AckQueue {
  private record Waiting(Appended appended, CompletableFuture<Appended> acknowledged) {}

  private final ArrayDeque<Waiting> waiting = new ArrayDeque<>();

  public void add(Appended appended, CompletableFuture<Appended> acknowledged) {
    while (!waiting.isEmpty() && waiting.peek().acknowledged().isDone()) {
      waiting.remove(); // timed out
    }
    waiting.add(new Waiting(appended, acknowledged));
  }

  /**
   * Hands over completions of what lies below the high watermark. A duplicate stands behind appends
   * of higher offsets and waits for them, which is harmless.
   *
   * @param enough whether as many replicas are in sync as must be: if they became too few since,
   *     the records are there and the producer is told NOT_ENOUGH_REPLICAS_AFTER_APPEND
   */
  public void reached(long highWatermark, boolean enough, Consumer<Runnable> after) {
    while (!waiting.isEmpty() && waiting.peek().appended().lastOffset() < highWatermark) {
      Waiting done = waiting.remove();
      after.accept(() -> tell(done, enough));
    }
  }

  private static void tell(Waiting done, boolean enough) {
    if (enough) {
      done.acknowledged().complete(done.appended());
    } else {
      done.acknowledged()
          .completeExceptionally(
              new NotEnoughReplicasAfterAppendException(
                  "fewer replicas are in sync than must be, since the records were written"));
    }
  }

  public void fail(Throwable failure, Consumer<Runnable> after) {
    while (!waiting.isEmpty()) {
      Waiting failed = waiting.remove();
      after.accept(() -> failed.acknowledged().completeExceptionally(failure));
    }
  }

  public int size() {
    return waiting.size();
  }
}

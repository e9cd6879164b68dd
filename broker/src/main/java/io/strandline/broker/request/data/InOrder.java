package io.strandline.broker.request.data;

import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.apache.kafka.common.requests.AbstractRequest;

/**
 * A handler before which requests wait for a condition, and behind it are served in the order in
 * which they came: a producer's pipeline must not change its order, and the steps that depend on
 * one future run in any.
 */
final class InOrder<T extends AbstractRequest> implements Handler<T> {
  private final Handler<T> handler;
  private final Supplier<CompletableFuture<Void>> condition;
  private final Queue<Runnable> waiting = new ConcurrentLinkedQueue<>();
  private final AtomicInteger wanted = new AtomicInteger();

  /**
   * @param condition what a request that comes now has to wait for
   */
  InOrder(Handler<T> handler, Supplier<CompletableFuture<Void>> condition) {
    this.handler = handler;
    this.condition = condition;
  }

  @Override
  public CompletionStage<Reply> handle(Request<T> request) {
    CompletableFuture<Void> settled = condition.get();
    if (settled.isDone() && waiting.isEmpty()) {
      return handler.handle(request);
    }
    CompletableFuture<Reply> reply = new CompletableFuture<>();
    waiting.add(() -> serve(request, reply));
    var unused = settled.whenComplete((done, failure) -> drain());
    return reply;
  }

  private void serve(Request<T> request, CompletableFuture<Reply> reply) {
    try {
      var unused =
          handler
              .handle(request)
              .whenComplete(
                  (answer, failure) -> {
                    if (failure == null) {
                      reply.complete(answer);
                    } else {
                      reply.completeExceptionally(failure);
                    }
                  });
    } catch (RuntimeException | Error failure) {
      reply.completeExceptionally(failure);
    }
  }

  /** One thread at a time; a request leaves the queue when it was served, not before. */
  private void drain() {
    if (wanted.getAndIncrement() != 0) {
      return;
    }
    int seen = 1;
    do {
      for (Runnable next = waiting.peek(); next != null; next = waiting.peek()) {
        next.run();
        waiting.remove();
      }
      seen = wanted.addAndGet(-seen);
    } while (seen != 0);
  }
}

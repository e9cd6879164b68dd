package io.strandline.broker.request.data;

import io.strandline.broker.partition.owner.Mailbox;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.common.requests.AbstractRequest;

/**
 * A handler before which requests wait for a condition, and behind it those of one connection are
 * served in the order in which they came: a producer's pipeline must not change its order, and the
 * steps that depend on one future run in any.
 *
 * <p>No connection waits for another's requests. Who meets the condition serves those that waited
 * for it, and a burst at most of those that a connection brings meanwhile.
 */
final class InOrder<T extends AbstractRequest> implements Handler<T> {
  private final Handler<T> handler;
  private final Supplier<CompletableFuture<Void>> condition;
  private final Executor further;

  /** Of connections of which a request waits or is being served in its turn. */
  private final Map<String, Line> lines = new ConcurrentHashMap<>();

  /**
   * @param condition what a request that comes now has to wait for
   * @param further goes on after a burst
   */
  InOrder(Handler<T> handler, Supplier<CompletableFuture<Void>> condition, Executor further) {
    this.handler = handler;
    this.condition = condition;
    this.further = further;
  }

  private record Waiting<T extends AbstractRequest>(
      Request<T> request, CompletableFuture<Void> settled, CompletableFuture<Reply> reply) {}

  /** A connection's requests, served by one thread at a time. */
  private final class Line {
    private final Mailbox owner = new Mailbox(further, () -> {});
    private final Queue<Waiting<T>> waiting = new ConcurrentLinkedQueue<>();

    /** Serves the first unless it has to wait; it leaves the line when it was served. */
    void step(String connection) {
      if (!ready()) {
        return;
      }
      serve(waiting.element());
      lines.computeIfPresent(
          connection,
          (id, line) -> {
            waiting.remove();
            return waiting.isEmpty() ? null : line;
          });
      if (ready()) { // the next, of which this may have been told while it was not the first
        owner.submitInline(() -> step(connection));
      }
    }

    private boolean ready() {
      Waiting<T> first = waiting.peek();
      return first != null && first.settled.isDone();
    }
  }

  /** Of a connection from one thread at a time. */
  @Override
  public CompletionStage<Reply> handle(Request<T> request) {
    CompletableFuture<Void> settled = condition.get();
    String connection = request.context().connectionId;
    if (settled.isDone() && !lines.containsKey(connection)) {
      return handler.handle(request);
    }
    Waiting<T> waits = new Waiting<>(request, settled, new CompletableFuture<>());
    lines.compute(
        connection,
        (id, there) -> {
          Line line = there == null ? new Line() : there;
          line.waiting.add(waits);
          return line;
        });
    var unused = settled.whenComplete((done, failure) -> advance(connection));
    return waits.reply;
  }

  private void advance(String connection) {
    Line line = lines.get(connection);
    if (line != null) {
      line.owner.submitInline(() -> line.step(connection));
    }
  }

  private void serve(Waiting<T> next) {
    try {
      var unused =
          handler
              .handle(next.request)
              .whenComplete(
                  (answer, failure) -> {
                    if (failure == null) {
                      next.reply.complete(answer);
                    } else {
                      next.reply.completeExceptionally(failure);
                    }
                  });
    } catch (RuntimeException | Error failure) {
      next.reply.completeExceptionally(failure);
    }
  }
}

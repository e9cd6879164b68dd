package io.strandline.broker.request.data;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;

/**
 * Keeps the order of a producer's pipeline where a request may have to wait: else one that need not
 * would overtake it, and be out of sequence. Any thread.
 */
final class ProducerTurns {
  private final Map<Long, CompletableFuture<Void>> last = new ConcurrentHashMap<>();

  /**
   * Takes the step when those of the producer that came before are over.
   *
   * @param step over when its future is done, however that ends
   */
  void take(long producerId, Supplier<CompletableFuture<?>> step) {
    CompletableFuture<Void> mine = new CompletableFuture<>();
    CompletableFuture<Void> before = last.put(producerId, mine);
    Runnable turn =
        () -> {
          var unused =
              taken(step)
                  .whenComplete(
                      (done, failure) -> {
                        last.remove(producerId, mine);
                        mine.complete(null);
                      });
        };
    if (before == null) {
      turn.run();
    } else {
      var unused = before.whenComplete((done, failure) -> turn.run());
    }
  }

  /** One that throws is over too: what comes after it must not wait for ever. */
  private static CompletableFuture<?> taken(Supplier<CompletableFuture<?>> step) {
    try {
      return step.get();
    } catch (RuntimeException e) {
      return CompletableFuture.failedFuture(e);
    }
  }
}

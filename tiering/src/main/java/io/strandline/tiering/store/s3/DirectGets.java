package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.s3.receive.Receiver;
import io.strandline.tiering.store.s3.receive.ReceivingClient;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.function.Function;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import software.amazon.awssdk.http.SdkHttpRequest;

/**
 * Ranged GETs past the SDK's pipeline, on connections of our own, straight into the memory of
 * whoever asks. A replay makes thirty a GiB: too few for the pipeline's code ever to be compiled
 * well, and each went through it for milliseconds.
 */
final class DirectGets implements AutoCloseable {
  private final ReceivingClient client;
  private final SignedGets requests;
  private final Executor executor;

  /**
   * @param executor completes the futures
   */
  DirectGets(ReceivingClient client, SignedGets requests, Executor executor) {
    this.client = client;
    this.requests = requests;
    this.executor = executor;
  }

  /**
   * @param opening gives the body's place when the head of a good answer is there, or throws
   * @param otherwise asks another way, if this one is not open
   * @return to be cancelled by whoever gives it up
   */
  <T> CompletableFuture<T> get(
      ReadRange range,
      Function<Receiver.Head, Body<T>> opening,
      Supplier<CompletableFuture<T>> otherwise) {
    CompletableFuture<T> outcome = new CompletableFuture<>();
    CompletableFuture<?> unused =
        requests
            .sign(range)
            .whenComplete(
                (request, failure) -> {
                  if (failure != null) {
                    outcome.completeExceptionally(failure);
                    return;
                  }
                  try {
                    run(request, new DirectAnswer<>(opening, requests), otherwise, outcome);
                  } catch (RuntimeException e) { // else nobody would ever be told
                    outcome.completeExceptionally(e);
                  }
                });
    return outcome;
  }

  private <T> void run(
      SdkHttpRequest request,
      DirectAnswer<T> coming,
      Supplier<CompletableFuture<T>> otherwise,
      CompletableFuture<T> outcome) {
    Optional<CompletableFuture<Void>> asked = client.run(request, coming);
    CompletableFuture<T> answer =
        asked.isPresent()
            ? asked.get().thenApplyAsync(ended -> coming.landed(), executor)
            : otherwise.get();
    CompletableFuture<?> unused =
        outcome.whenComplete(
            (value, thrown) -> {
              if (outcome.isCancelled()) {
                asked.<CompletableFuture<?>>map(one -> one).orElse(answer).cancel(true);
              }
            });
    CompletableFuture<?> unusedToo =
        answer.whenComplete((value, thrown) -> complete(outcome, value, thrown));
  }

  private static <T> void complete(
      CompletableFuture<T> outcome, @Nullable T value, @Nullable Throwable thrown) {
    if (thrown != null) {
      outcome.completeExceptionally(thrown);
    } else {
      outcome.complete(value);
    }
  }

  @Override
  public void close() {
    client.close();
  }
}

package io.strandline.tiering.store.s3;

import io.strandline.tiering.store.Turns;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Puts a body into a {@link Body} piece by piece. {@code opening} gives it when the response's
 * headers are there, or throws, which ends the connection.
 */
final class BodyTransformer<T> implements AsyncResponseTransformer<GetObjectResponse, T> {
  private final Function<GetObjectResponse, Body<T>> opening;
  private volatile Arrival<T> arrival;

  BodyTransformer(Function<GetObjectResponse, Body<T>> opening) {
    this.opening = opening;
    this.arrival = new Arrival<>();
  }

  @Override
  public CompletableFuture<T> prepare() {
    arrival = new Arrival<>();
    return arrival.done;
  }

  @Override
  public void onResponse(GetObjectResponse response) {
    try {
      arrival.body = opening.apply(response);
    } catch (RuntimeException e) {
      arrival.done.completeExceptionally(e);
    }
  }

  @Override
  public void onStream(SdkPublisher<ByteBuffer> publisher) {
    publisher.subscribe(arrival);
  }

  @Override
  public void exceptionOccurred(Throwable thrown) {
    arrival.done.completeExceptionally(thrown);
  }

  /** One body on its way; signals come one after another. */
  private static final class Arrival<T> implements Subscriber<ByteBuffer> {
    private final CompletableFuture<T> done = new CompletableFuture<>();
    private @Nullable Body<T> body;
    private final Turns turns = new Turns();

    @Override
    public void onSubscribe(Subscription subscription) {
      CompletableFuture<T> unused =
          done.whenComplete(
              (value, thrown) -> {
                if (thrown != null) {
                  subscription.cancel();
                }
              });
      if (!done.isDone()) {
        subscription.request(Long.MAX_VALUE);
      }
    }

    @Override
    public void onNext(ByteBuffer piece) {
      if (done.isDone()) {
        return;
      }
      int length = piece.remaining();
      try {
        opened().take(piece);
        turns.took(length);
      } catch (RuntimeException e) {
        done.completeExceptionally(e);
      }
    }

    @Override
    public void onError(Throwable thrown) {
      done.completeExceptionally(thrown);
    }

    @Override
    public void onComplete() {
      try {
        done.complete(opened().whole());
      } catch (RuntimeException e) {
        done.completeExceptionally(e);
      }
    }

    private Body<T> opened() {
      if (body == null) {
        throw new IllegalStateException("a body without a head");
      }
      return body;
    }
  }
}

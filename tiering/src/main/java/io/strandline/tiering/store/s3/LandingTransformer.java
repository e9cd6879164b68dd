package io.strandline.tiering.store.s3;

import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.function.ToIntFunction;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * Lands a body in one buffer of the size the response announces; the SDK's own collects pieces and
 * joins them. {@code sizing} gives the size to expect, or throws, which ends the connection.
 */
final class LandingTransformer implements AsyncResponseTransformer<GetObjectResponse, ByteBuffer> {
  private final ToIntFunction<GetObjectResponse> sizing;
  private volatile Landing landing;

  LandingTransformer(ToIntFunction<GetObjectResponse> sizing) {
    this.sizing = sizing;
    this.landing = new Landing();
  }

  @Override
  public CompletableFuture<ByteBuffer> prepare() {
    landing = new Landing();
    return landing.done;
  }

  @Override
  public void onResponse(GetObjectResponse response) {
    try {
      landing.bytes = ByteBuffer.allocate(sizing.applyAsInt(response));
    } catch (RuntimeException e) {
      landing.done.completeExceptionally(e);
    }
  }

  @Override
  public void onStream(SdkPublisher<ByteBuffer> publisher) {
    publisher.subscribe(landing);
  }

  @Override
  public void exceptionOccurred(Throwable thrown) {
    landing.done.completeExceptionally(thrown);
  }

  /** One body; signals come one after another. */
  private static final class Landing implements Subscriber<ByteBuffer> {
    private final CompletableFuture<ByteBuffer> done = new CompletableFuture<>();
    private ByteBuffer bytes = ByteBuffer.allocate(0);

    @Override
    public void onSubscribe(Subscription subscription) {
      CompletableFuture<ByteBuffer> unused =
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
      if (piece.remaining() > bytes.remaining()) {
        done.completeExceptionally(new IllegalStateException("more bytes than announced"));
      } else if (!done.isDone()) {
        bytes.put(piece);
      }
    }

    @Override
    public void onError(Throwable thrown) {
      done.completeExceptionally(thrown);
    }

    @Override
    public void onComplete() {
      if (bytes.hasRemaining()) {
        done.completeExceptionally(
            new IllegalStateException("the body ended " + bytes.remaining() + " bytes early"));
      } else {
        done.complete(bytes.flip());
      }
    }
  }
}

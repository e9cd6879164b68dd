package io.strandline.bench.replay;

import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.s3.S3Location;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.reactivestreams.Subscriber;
import org.reactivestreams.Subscription;
import software.amazon.awssdk.core.async.AsyncResponseTransformer;
import software.amazon.awssdk.core.async.SdkPublisher;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;
import software.amazon.awssdk.services.s3.S3AsyncClientBuilder;
import software.amazon.awssdk.services.s3.model.GetObjectResponse;

/**
 * The SDK's asynchronous client as it is: Netty, defaults, nothing of ours between. Its bodies are
 * asked for at once and whole, which costs it least.
 */
final class SdkGets implements Gets {
  private final S3Location location;
  private final S3AsyncClient client;

  SdkGets(S3Location location) {
    this.location = location;
    S3AsyncClientBuilder builder =
        S3AsyncClient.builder().forcePathStyle(location.options().pathStyle());
    location.options().endpoint().ifPresent(builder::endpointOverride);
    builder.region(Region.of(location.options().region().orElse("us-east-1")));
    this.client = builder.build();
  }

  @Override
  public CompletableFuture<?> get(ReadRange range) {
    long last = range.positionBytes() + range.lengthBytes() - 1;
    return client.getObject(
        get ->
            get.bucket(location.bucket())
                .key(location.prefix() + range.key().value())
                .range("bytes=" + range.positionBytes() + "-" + last),
        new Nowhere(range.lengthBytes()));
  }

  /** Counts, so that a short body is not taken for a whole one. */
  private static final class Nowhere
      implements AsyncResponseTransformer<GetObjectResponse, Long>, Subscriber<ByteBuffer> {
    private final long lengthBytes;
    private final CompletableFuture<Long> done = new CompletableFuture<>();
    private long bytes;

    Nowhere(long lengthBytes) {
      this.lengthBytes = lengthBytes;
    }

    @Override
    public CompletableFuture<Long> prepare() {
      return done;
    }

    @Override
    public void onResponse(GetObjectResponse response) {}

    @Override
    public void onStream(SdkPublisher<ByteBuffer> publisher) {
      publisher.subscribe(this);
    }

    @Override
    public void exceptionOccurred(Throwable error) {
      done.completeExceptionally(error);
    }

    @Override
    public void onSubscribe(Subscription subscription) {
      subscription.request(Long.MAX_VALUE);
    }

    @Override
    public void onNext(ByteBuffer piece) {
      bytes += piece.remaining();
    }

    @Override
    public void onError(Throwable error) {
      done.completeExceptionally(error);
    }

    @Override
    public void onComplete() {
      if (bytes == lengthBytes) {
        done.complete(bytes);
      } else {
        done.completeExceptionally(new IllegalStateException("got " + bytes + " bytes"));
      }
    }
  }
}

package io.strandline.tiering.store.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.guard.Circuit;
import io.strandline.tiering.store.guard.CircuitObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.ByteBuffer;
import java.time.InstantSource;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import software.amazon.awssdk.auth.credentials.AwsCredentialsProvider;
import software.amazon.awssdk.core.exception.SdkClientException;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.s3.S3AsyncClient;

class SignedGetsTest {
  private static final ObjectKey KEY = ObjectKey.of("a/b");

  /** As the SDK's chain of providers does. */
  private static final AwsCredentialsProvider NONE =
      () -> {
        throw SdkClientException.create("Unable to load credentials from any of the providers");
      };

  @Test
  void whereNoCredentialsCanBeHadTheCallIsRefusedAndTheStoreIsAway() {
    ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    try (S3AsyncClient client =
        S3AsyncClient.builder().region(Region.US_EAST_1).credentialsProvider(NONE).build()) {
      S3Requests requests = new S3Requests(S3Location.parse("s3://bucket/x?region=us-east-1"));
      SignedGets gets = new SignedGets(client, requests, InstantSource.system());
      var store =
          new CircuitObjectStore(
              new Signing(gets), Circuit.defaults(), timer, () -> 0, new SimpleMeterRegistry());
      for (int i = 0; i < Circuit.defaults().failuresInARow(); i++) {
        assertThat(store.trouble()).isEmpty();
        assertThat(StoreException.of(failure(store.get(KEY, 0, 10))))
            .isInstanceOf(StoreException.Refused.class)
            .hasMessageContaining("Unable to load credentials");
      }
      assertThat(store.trouble()).isEqualTo("reads fail: refused");
    } finally {
      timer.shutdownNow();
    }
  }

  private static Throwable failure(CompletableFuture<?> failed) {
    assertThat(failed).isCompletedExceptionally();
    return failed.handle((value, failure) -> failure).join();
  }

  /** Signs, and explains as the store does why that fails. */
  private static final class Signing extends DecoratedObjectStore {
    private final SignedGets gets;

    Signing(SignedGets gets) {
      super(new MemoryObjectStore(Runnable::run, InstantSource.system()));
      this.gets = gets;
    }

    @Override
    protected <T> CompletableFuture<T> around(
        StoreCall call, Supplier<CompletableFuture<T>> action) {
      return action.get();
    }

    @Override
    public CompletableFuture<ByteBuffer> get(ObjectKey key, long positionBytes, int lengthBytes) {
      return gets.sign(new ReadRange(key, positionBytes, lengthBytes))
          .handle(
              (request, failure) -> {
                throw S3Errors.explain(Operation.GET, key.value(), failure);
              });
    }
  }
}

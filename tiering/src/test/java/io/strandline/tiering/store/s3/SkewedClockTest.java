package io.strandline.tiering.store.s3;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** A machine whose clock is wrong, and is set right, and a store that looks at what was signed. */
class SkewedClockTest {
  private static final ObjectKey KEY = ObjectKey.of("a");

  private final AtomicReference<Duration> wrongBy = new AtomicReference<>(Duration.ZERO);

  @Test
  void rangedReadsGoOnAfterOneRefusalWhicheverWayTheClockIsSet() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    try (HttpS3 server = new HttpS3();
        S3ObjectStore store =
            new S3ObjectStore(
                S3Location.parse(server.uri()),
                new S3Config(
                    8,
                    Duration.ofSeconds(3),
                    new S3Config.Multipart(1_000, 600, 2),
                    1000,
                    Optional.of(new S3Config.Credentials("any", "any-secret", Optional.empty()))),
                threads,
                timer,
                () -> Instant.now().plus(wrongBy.get()))) {
      store.put(KEY, Payload.of(ByteBuffer.wrap(new byte[77]))).join();
      server.punctual();
      assertThat(read(store)).isEqualTo("read");
      for (int hours : new int[] {-1, 0, 2, -2, 0}) {
        wrongBy.set(Duration.ofHours(hours));
        assertThat(read(store)).isEqualTo("clock");
        assertThat(read(store)).as("%d hours off", hours).isEqualTo("read");
        assertThat(read(store)).isEqualTo("read");
      }
    } finally {
      threads.shutdown();
      timer.shutdownNow();
      assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    }
  }

  private static String read(S3ObjectStore store) throws InterruptedException {
    try {
      return store.get(KEY, 0, 77).get(30, TimeUnit.SECONDS).remaining() == 77 ? "read" : "short";
    } catch (java.util.concurrent.ExecutionException | java.util.concurrent.TimeoutException e) {
      return StoreException.Unavailable.Why.of(StoreException.of(e)).label();
    }
  }
}

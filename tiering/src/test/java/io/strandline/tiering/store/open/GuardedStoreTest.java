package io.strandline.tiering.store.open;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ObjectStoreContract;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Random;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The contract through all guards, over a store whose answers take their time. */
class GuardedStoreTest extends ObjectStoreContract {
  private final ScheduledExecutorService scheduler = Executors.newScheduledThreadPool(1);
  private final StoreRuntime runtime =
      new StoreRuntime(
          new StoreRuntime.Time(InstantSource.system(), System::nanoTime),
          new Random(1),
          Runnable::run,
          scheduler,
          new SimpleMeterRegistry());
  private final ObjectStore slow =
      new FaultyObjectStore(
          new MemoryObjectStore(Runnable::run, InstantSource.system()),
          FaultPlan.random(new Random(2), 0, Duration.ofMillis(1)),
          scheduler);
  private final ObjectStore store = Stores.guarded(slow, StoreConfig.defaults(), runtime).store();

  @AfterEach
  void stop() {
    scheduler.shutdownNow();
  }

  @Override
  protected ObjectStore store() {
    return store;
  }

  @Test
  void aDirectoryIsOpenedByItsUri(@TempDir Path directory) {
    for (String uri : new String[] {"file:" + directory, "file://" + directory}) {
      try (ObjectStore file = Stores.open(uri, StoreConfig.defaults(), runtime)) {
        assertThat(file.describe()).isEqualTo("file:" + directory);
        file.put(key("a"), text("x")).join();
        assertThat(file.head(key("a")).join()).isPresent();
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "file:",
        "file://host/dir",
        "/dir",
        "gs://bucket",
        "s3:/bucket",
        "s3://",
        "s3://b",
        "s3://bucket/a b",
        "s3://bucket?regoin=eu",
        "s3://bucket?region",
        "s3://bucket?region=",
        "s3://bucket?region=a&region=b",
        "s3://bucket?endpoint=ftp://x",
        "s3://bucket?pathStyle=yes",
        "s3://bucket?checksum=md5",
        "s3://bucket?sse=DES",
        "s3://bucket?sse=AES256&kmsKey=k"
      })
  void aWrongUriIsExplained(String uri) {
    assertThatIllegalArgumentException()
        .isThrownBy(() -> Stores.open(uri, StoreConfig.defaults(), runtime))
        .withMessageContaining(uri)
        .withMessageStartingWith("not a");
  }
}

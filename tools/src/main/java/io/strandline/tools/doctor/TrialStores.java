package io.strandline.tools.doctor;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.guard.Budget;
import io.strandline.tiering.store.guard.Circuit;
import io.strandline.tiering.store.guard.Deadline;
import io.strandline.tiering.store.guard.Rates;
import io.strandline.tiering.store.guard.Retry;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import io.strandline.tiering.store.s3.S3Config;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.random.RandomGenerator;

/**
 * A node's store, opened to be tried: each request once, so that what is told is what the store
 * answered.
 */
final class TrialStores implements AutoCloseable {
  private static final S3Config.Multipart ALWAYS_IN_PARTS = new S3Config.Multipart(1, 5 << 20, 1);

  private final ExecutorService blocking = Executors.newFixedThreadPool(4, daemons());
  private final ScheduledExecutorService scheduler =
      Executors.newSingleThreadScheduledExecutor(daemons());
  private final ObjectStore whole;
  private final Optional<ObjectStore> inParts;

  /**
   * @throws IllegalArgumentException that says what is wrong with the URI
   */
  TrialStores(String uri, StoreRuntime.Time time, RandomGenerator random) {
    this.whole = open(uri, S3Config.Multipart.defaults(), time, random);
    this.inParts =
        uri.startsWith("s3:")
            ? Optional.of(open(uri, ALWAYS_IN_PARTS, time, random))
            : Optional.empty();
  }

  private ObjectStore open(
      String uri, S3Config.Multipart parts, StoreRuntime.Time time, RandomGenerator random) {
    Duration moment = Duration.ofMillis(50);
    StoreConfig config =
        new StoreConfig(
            Deadline.defaults(),
            new Retry(1, moment, moment, moment),
            Budget.defaults(),
            Circuit.defaults(),
            Rates.unlimited(),
            parts,
            Optional.empty(),
            KeyRing.none());
    return Stores.open(
        uri,
        config,
        new StoreRuntime(time, random, blocking, scheduler, new SimpleMeterRegistry()));
  }

  private static ThreadFactory daemons() {
    return work -> {
      Thread thread = new Thread(work, "doctor-store");
      thread.setDaemon(true);
      return thread;
    };
  }

  ObjectStore whole() {
    return whole;
  }

  /** Which puts all but nothing in parts; empty where a store knows no parts. */
  Optional<ObjectStore> inParts() {
    return inParts;
  }

  @Override
  public void close() {
    whole.close();
    inParts.ifPresent(ObjectStore::close);
    blocking.shutdown();
    scheduler.shutdown();
  }
}

package io.strandline.tiering.store.open;

import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import io.strandline.tiering.store.file.FileObjectStore;
import io.strandline.tiering.store.guard.BudgetedObjectStore;
import io.strandline.tiering.store.guard.CircuitObjectStore;
import io.strandline.tiering.store.guard.DeadlineObjectStore;
import io.strandline.tiering.store.guard.GateObjectStore;
import io.strandline.tiering.store.guard.MeteredObjectStore;
import io.strandline.tiering.store.guard.RateLimitedObjectStore;
import io.strandline.tiering.store.guard.RetryingObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.store.s3.S3Config;
import io.strandline.tiering.store.s3.S3Location;
import io.strandline.tiering.store.s3.S3ObjectStore;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/**
 * Opens stores by URI: {@code file:<dir>}, {@code s3://bucket/prefix?…} ({@link S3Location}),
 * {@code memory:}.
 *
 * <p>A call passes retry, gate, rates, budget, circuit, metrics and deadline, in this order, and
 * then the store: each try waits its turn and has its own deadline, and the metrics see every try.
 */
public final class Stores {
  private Stores() {}

  /**
   * Opens a guarded store. Asks nothing of it yet.
   *
   * @throws IllegalArgumentException that says what is wrong with the URI
   */
  public static ObjectStore open(String uri, StoreConfig config, StoreRuntime runtime) {
    return watched(uri, config, runtime).store();
  }

  /** As {@link #open}, with the guard that knows whether the store answers. */
  public static Watched watched(String uri, StoreConfig config, StoreRuntime runtime) {
    Watched guarded = guarded(bare(uri, config, runtime), config, runtime);
    return new Watched(
        new EncryptedObjectStore(guarded.store(), config.keys(), runtime.blocking()),
        guarded.circuit());
  }

  /**
   * @param store with all guards around it; closing it closes the store within
   */
  public record Watched(ObjectStore store, CircuitObjectStore circuit) {}

  /** Puts all guards around a store. */
  public static Watched guarded(ObjectStore bare, StoreConfig config, StoreRuntime runtime) {
    var timed = new DeadlineObjectStore(bare, config.deadline(), runtime.scheduler());
    var metered = new MeteredObjectStore(timed, runtime.meters(), runtime.time().nanoTicker());
    var circuit =
        new CircuitObjectStore(
            metered,
            config.circuit(),
            runtime.scheduler(),
            runtime.time().nanoTicker(),
            runtime.meters());
    var budgeted = new BudgetedObjectStore(circuit, config.budget(), runtime.meters());
    var paced =
        new RateLimitedObjectStore(
            budgeted,
            config.rates(),
            runtime.scheduler(),
            runtime.time().nanoTicker(),
            runtime.meters());
    var patient =
        new RetryingObjectStore(
            new GateObjectStore(paced, circuit),
            config.retry(),
            new RetryingObjectStore.Later(runtime.scheduler(), runtime.blocking()),
            runtime.random(),
            runtime.time().nanoTicker());
    return new Watched(patient, circuit);
  }

  private static ObjectStore bare(String uri, StoreConfig config, StoreRuntime runtime) {
    if (uri.startsWith("file:")) {
      return new FileObjectStore(directory(uri), runtime.blocking(), runtime.time().clock());
    }
    if (uri.startsWith("s3://")) {
      return new S3ObjectStore(
          S3Location.parse(uri),
          s3(config),
          runtime.blocking(),
          runtime.scheduler(),
          runtime.time().clock());
    }
    if (uri.equals("memory:")) {
      return new MemoryObjectStore(runtime.blocking(), runtime.time().clock());
    }
    throw new IllegalArgumentException(
        "not an object store: "
            + uri
            + ": it is file:<directory>, s3://<bucket>/<prefix>?region=…&endpoint=… or memory:");
  }

  private static Path directory(String uri) {
    String path = uri.substring("file:".length());
    if (path.startsWith("///")) {
      path = path.substring(2);
    }
    if (path.isEmpty() || path.startsWith("//")) {
      throw new IllegalArgumentException(
          "not a directory of this machine: " + uri + ": it is file:<directory>");
    }
    try {
      return Path.of(path);
    } catch (InvalidPathException e) {
      throw new IllegalArgumentException(
          "not a directory of this machine: " + uri + ": " + e.getReason(), e);
    }
  }

  /** As many connections as the budget can keep busy. */
  private static S3Config s3(StoreConfig config) {
    int connections =
        config.budget().reads().callsMax()
            + config.budget().writes().callsMax() * config.multipart().concurrent();
    return new S3Config(
        connections,
        S3Config.defaults().connectTimeout(),
        config.multipart(),
        S3Config.PAGE_KEYS_MAX,
        config.s3Credentials());
  }
}

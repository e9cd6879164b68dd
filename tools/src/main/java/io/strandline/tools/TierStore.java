package io.strandline.tools;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.crypt.EncryptedObjectStore;
import io.strandline.tiering.store.crypt.FileKeyRing;
import io.strandline.tiering.store.crypt.KeyRing;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** Which object store a command reads: options shared by all that work on the tier. */
final class TierStore {
  private static final String STORE_KEY = "strandline.object.store";
  private static final String OTHERS_KEY = "strandline.mount.stores";
  private static final String KEYRING_KEY = "strandline.encryption.keyring";

  @ArgGroup(exclusive = true)
  private @Nullable Source source;

  /** One or the other. */
  static final class Source {
    @Option(
        names = "--store",
        paramLabel = "URI",
        description =
            "The store: file:<directory> or s3://bucket/prefix?region=…&endpoint=…; credentials of"
                + " S3 come from the environment, system properties, profile files or the"
                + " instance.")
    private @Nullable String store;

    @Option(
        names = "--config",
        paramLabel = "FILE",
        description =
            "A broker's server.properties that names the store (default: the store of a broker"
                + " without configuration, file:./data/strandline/objects).")
    private @Nullable Path config;
  }

  @Option(
      names = "--keyring",
      paramLabel = "FILE",
      description =
          "The keys of encrypted segments (default: what the configuration names, if anything).")
  private @Nullable Path keyRing;

  @Option(
      names = "--other",
      paramLabel = "URI",
      description =
          "A store of another cluster, of which this one names segments: a restored topic's;"
              + " repeatable (default: what the configuration names). It is only read.")
  private List<String> others = List.of();

  /** The stores of other clusters that the options name. */
  List<String> others() throws IOException {
    if (!others.isEmpty()) {
      return others;
    }
    return Arrays.stream(properties().getProperty(OTHERS_KEY, "").split(",", -1))
        .map(String::trim)
        .filter(uri -> !uri.isEmpty())
        .toList();
  }

  /** The URI of the store that the options name. */
  String uri() throws IOException {
    if (source != null && source.store != null) {
      return source.store;
    }
    Properties properties = properties();
    String given = properties.getProperty(STORE_KEY, "").trim();
    return given.isEmpty() ? "file:" + besideLogs(properties) : given;
  }

  private Properties properties() throws IOException {
    Properties properties = new Properties();
    if (source != null && source.config != null) {
      try (Reader reader = Files.newBufferedReader(source.config)) {
        properties.load(reader);
      }
    }
    return properties;
  }

  /** The keys that the options name; none if none are. */
  KeyRing keys() throws IOException {
    Path file = keyRing;
    if (file == null) {
      String named = properties().getProperty(KEYRING_KEY, "").trim();
      file = named.isEmpty() ? null : Path.of(named);
    }
    return file == null ? KeyRing.none() : FileKeyRing.open(file, new SecureRandom());
  }

  /** Where a broker puts its objects when it is told nothing else: inside its first directory. */
  private static Path besideLogs(Properties properties) {
    String directories =
        properties.getProperty("log.dirs", properties.getProperty("log.dir", "./data"));
    return Path.of(directories.split(",", -1)[0].trim(), "strandline", "objects");
  }

  /**
   * Opens the store.
   *
   * @throws IllegalArgumentException if there is no tier of ours
   */
  Opened open() throws IOException {
    Opened opened = new Opened(uri(), others(), keys());
    try {
      opened.identify();
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
    return opened;
  }

  /** A store with the threads it runs on. */
  static final class Opened implements AutoCloseable {
    private static final int FILES_AT_ONCE = 8;

    private final ExecutorService blocking = pool("tier-store", FILES_AT_ONCE);
    private final ExecutorService decoding = pool("tier-manifests", 2);
    private final ScheduledExecutorService scheduler =
        Executors.newSingleThreadScheduledExecutor(daemons("tier-timer"));
    private final ObjectStore store;
    private final Manifests manifests;
    private final MountedStores stores;

    /** Of a store that is all there is. */
    Opened(String uri, KeyRing keys) {
      this(uri, List.of(), keys);
    }

    Opened(String uri, List<String> others, KeyRing keys) {
      InstantSource clock = InstantSource.system();
      SecureRandom random = new SecureRandom();
      SimpleMeterRegistry meters = new SimpleMeterRegistry();
      StoreRuntime runtime =
          new StoreRuntime(
              new StoreRuntime.Time(clock, System::nanoTime), random, blocking, scheduler, meters);
      StoreConfig config = StoreConfig.defaults().withKeys(keys);
      store = Stores.open(uri, config, runtime);
      stores =
          new MountedStores(
              store, others.stream().map(other -> Stores.open(other, config, runtime)).toList());
      manifests =
          StoreManifests.open(
              store,
              ManifestConfig.defaults(),
              new StoreManifests.Environment(clock, random, decoding, meters));
    }

    ObjectStore store() {
      return store;
    }

    /** Where the objects lie that the manifests name. */
    OwnedStores stores() {
      return stores;
    }

    private void identify() {
      String owner =
          StoreOwner.read(store)
              .join()
              .orElseThrow(
                  () ->
                      new IllegalArgumentException(
                          "no tier in " + store.describe() + ": it has no object named owner"));
      stores.ownedBy(owner);
      if (!stores.identify().join()) {
        throw new IllegalArgumentException("a store of --other does not say whose it is");
      }
    }

    /** How many encrypted objects were opened, by the id of the key that they name. */
    Map<String, Long> keysSeen() {
      return store instanceof EncryptedObjectStore encrypted ? encrypted.keysSeen() : Map.of();
    }

    Manifests manifests() {
      return manifests;
    }

    @Override
    public void close() {
      stores.close();
      store.close();
      blocking.shutdown();
      decoding.shutdown();
      scheduler.shutdownNow();
    }
  }

  /** Threads that do not keep the process alive. */
  static ExecutorService pool(String name, int threads) {
    return Executors.newFixedThreadPool(threads, daemons(name));
  }

  private static ThreadFactory daemons(String name) {
    return work -> {
      Thread thread = new Thread(work, name);
      thread.setDaemon(true);
      return thread;
    };
  }
}

package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ObjectStoreContract;
import io.strandline.tiering.store.file.FileObjectStore;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A store whose every object is encrypted is a store. */
class EncryptedContractTest extends ObjectStoreContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path directory;

  private final ExecutorService threads = Executors.newFixedThreadPool(4);

  @SuppressWarnings("NullAway.Init")
  private ObjectStore store;

  @BeforeEach
  void open() {
    store =
        new AllEncrypted(
            new EncryptedObjectStore(
                new FileObjectStore(directory.resolve("o"), threads, InstantSource.system()),
                new TestRing(directory.resolve("ring")).rotate("k").open(),
                threads));
  }

  @AfterEach
  void close() throws InterruptedException {
    store.close();
    threads.shutdown();
    boolean unused = threads.awaitTermination(1, TimeUnit.MINUTES);
  }

  @Override
  protected ObjectStore store() {
    return store;
  }
}

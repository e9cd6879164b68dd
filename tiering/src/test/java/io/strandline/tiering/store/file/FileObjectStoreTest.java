package io.strandline.tiering.store.file;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.ObjectStoreContract;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileObjectStoreTest extends ObjectStoreContract {
  private final ExecutorService threads = Executors.newFixedThreadPool(4);
  private Path root;
  private FileObjectStore store;

  @BeforeEach
  void open(@TempDir Path temp) {
    root = temp.resolve("objects");
    store = new FileObjectStore(root, threads, InstantSource.system());
  }

  @AfterEach
  void close() throws InterruptedException {
    store.close();
    threads.shutdownNow();
    assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
  }

  @Override
  protected ObjectStore store() {
    return store;
  }

  @Test
  void readingCreatesNothing() {
    assertThat(store.list("", "", 10).join().objects()).isEmpty();
    assertThat(store.head(key("a")).join()).isEmpty();
    assertThat(root).doesNotExist();
  }

  @Test
  void rewritesWithinOneTickOfTheClockMoveTheEtagOn() {
    try (var frozen = new FileObjectStore(root, threads, () -> Instant.EPOCH.plusSeconds(9))) {
      ObjectInfo one = frozen.put(key("a"), text("1")).join();
      ObjectInfo two = frozen.put(key("a"), text("2")).join();
      ObjectInfo three = frozen.replace(key("a"), text("3"), two.etag()).join();
      assertThat(List.of(one.etag(), two.etag(), three.etag())).doesNotHaveDuplicates();
    }
  }

  @Test
  void aFailedWriteLeavesNoTemporaryFile() throws IOException {
    Payload payload = new Payload(List.of(new Payload.FileRange(root.resolve("absent"), 0, 1)));
    assertFails(StoreException.Unavailable.class, () -> store.put(key("a"), payload).join());
    assertThat(temporaryFiles()).isEmpty();
  }

  @Test
  void whatACrashLeftIsSweptAndWhatIsBeingWrittenStays() throws IOException {
    Path crashed = Files.createDirectories(root.resolve("~tmp").resolve("123"));
    Files.createFile(root.resolve("~tmp").resolve("123.lock"));
    Files.writeString(crashed.resolve("1"), "half an object");
    try (var other = new FileObjectStore(root, threads, InstantSource.system())) {
      other.put(key("a"), text("x")).join();
      Path inUse = Files.writeString(onlyScratch().resolve("7"), "being written");
      store.put(key("b"), text("x")).join();
      assertThat(crashed).doesNotExist();
      assertThat(inUse).exists();
      Files.delete(inUse);
    }
  }

  @Test
  void deletionPrunesEmptyDirectoriesAndKeepsTheRoot() throws IOException {
    store.put(key("x/y/z"), text("x")).join();
    store.delete(List.of(key("x/y/z"))).join();
    try (Stream<Path> left = Files.list(root)) {
      assertThat(left.map(path -> path.getFileName().toString()))
          .containsExactlyInAnyOrder("~tmp", "~locks");
    }
  }

  @Test
  void filesThatAreNotOursAreNotListed() throws IOException {
    store.put(key("a"), text("x")).join();
    Files.writeString(root.resolve("notes of an operator.txt"), "x");
    Files.createDirectories(root.resolve("lost+found"));
    assertThat(store.list("", "", 10).join().objects()).hasSize(1);
  }

  @Test
  void aFileInThePlaceOfTheRootIsRefused() throws IOException {
    Files.writeString(root, "a file");
    assertFails(StoreException.Refused.class, () -> store.list("", "", 1).join());
  }

  @Test
  void aClosedExecutorIsUnavailable() {
    threads.shutdownNow();
    assertFails(StoreException.Unavailable.class, () -> store.head(key("a")).join());
  }

  private Path onlyScratch() throws IOException {
    try (Stream<Path> entries = Files.list(root.resolve("~tmp"))) {
      return entries
          .filter(path -> Files.isDirectory(path) && !path.endsWith("123"))
          .findFirst()
          .orElseThrow();
    }
  }

  private List<Path> temporaryFiles() throws IOException {
    try (Stream<Path> files = Files.list(onlyScratch())) {
      return files.toList();
    }
  }
}

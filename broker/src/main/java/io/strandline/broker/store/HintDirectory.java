package io.strandline.broker.store;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where a broker caches what it knows of manifests: a directory for the store, which bears its
 * identity. A bucket that was lost and made anew under its name is another store, and what was
 * known of the first would have the second name pages that are not there. Threads: any.
 */
public final class HintDirectory {
  private static final Logger LOG = LoggerFactory.getLogger(HintDirectory.class);
  private static final Pattern NAME = Pattern.compile("[A-Za-z0-9_-]{1,64}");

  private final Path root;
  private final Supplier<Optional<String>> identity;
  private final long usefulMs;

  /**
   * @param identity of the store; empty until it was asked
   * @param usefulMs a file that was not written for so long is of no use
   */
  public HintDirectory(Path root, Supplier<Optional<String>> identity, long usefulMs) {
    this.root = root;
    this.identity = identity;
    this.usefulMs = usefulMs;
  }

  /** Nothing is known of a store that has not said which one it is. */
  public Optional<Path> ofThisStore() {
    return identity.get().filter(id -> NAME.matcher(id).matches()).map(root::resolve);
  }

  /** Tidies up now and from time to time. */
  public void keepTidy(ScheduledExecutorService timer, Executor disk, InstantSource clock) {
    var unused =
        timer.scheduleWithFixedDelay(
            () -> disk.execute(() -> tidy(clock.instant())), 0, usefulMs, TimeUnit.MILLISECONDS);
  }

  /** Deletes what is of no use any more. */
  void tidy(Instant now) {
    Optional<Path> own = ofThisStore();
    if (own.isEmpty() || !Files.exists(root)) {
      return;
    }
    try {
      for (Path there : list(root)) {
        if (there.equals(own.get())) {
          deleteBefore(there, now.minusMillis(usefulMs));
        } else {
          drop(there);
        }
      }
    } catch (IOException | UncheckedIOException e) {
      LOG.atInfo()
          .addKeyValue("path", root)
          .addKeyValue("reason", e.toString())
          .log("what is cached of manifests stays for now");
    }
  }

  private void drop(Path of) throws IOException {
    if (Files.isDirectory(of)) {
      LOG.atWarn()
          .addKeyValue("value", of.getFileName())
          .addKeyValue("reason", "it is " + identity.get().orElse("") + " now")
          .log("the object store is not the one that was used before, whose history is not here");
      deleteBefore(of, Instant.MAX);
    }
    Files.deleteIfExists(of);
  }

  private static void deleteBefore(Path directory, Instant before) throws IOException {
    for (Path file : list(directory)) {
      if (Files.getLastModifiedTime(file).toInstant().isBefore(before)) {
        Files.deleteIfExists(file);
      }
    }
  }

  private static List<Path> list(Path directory) throws IOException {
    try (Stream<Path> all = Files.list(directory)) {
      return all.toList();
    }
  }
}

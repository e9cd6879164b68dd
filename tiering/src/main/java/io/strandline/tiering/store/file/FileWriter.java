package io.strandline.tiering.store.file;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.Collection;
import java.util.LinkedHashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The writing half of the store: temporary file, fsync, condition, link or rename, fsync. */
final class FileWriter implements AutoCloseable {
  /** What must be so for a write to happen; no etag and not absent is no condition. */
  record Condition(boolean absent, @Nullable String etag) {
    static final Condition NONE = new Condition(false, null);
    static final Condition ABSENT = new Condition(true, null);

    static Condition at(String etag) {
      return new Condition(false, etag);
    }
  }

  private static final Logger LOG = LoggerFactory.getLogger(FileWriter.class);

  /** How often a directory may be pruned under a writer's hands before that is odd. */
  private static final int TRIES = 16;

  private final Layout layout;
  private final InstantSource clock;
  private final WriterLocks locks;
  private final Scratch scratch;
  private final Directories directories;

  FileWriter(Layout layout, InstantSource clock) {
    this.layout = layout;
    this.clock = clock;
    this.locks = new WriterLocks(layout.locks());
    this.scratch = new Scratch(layout.scratch(), locks);
    this.directories = new Directories(layout.root());
  }

  ObjectInfo write(ObjectKey key, Payload payload, Condition condition) throws IOException {
    check(key, condition, FileObjectStore.infoOf(layout, key)); // Saves writing it in vain.
    directories.create(layout.root());
    Path temporary = scratch.newFile();
    try {
      try (FileChannel file =
          FileChannel.open(temporary, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        payload.transferTo(file);
        file.force(true);
      } catch (NoSuchFileException e) {
        throw new IOException("the payload or the scratch directory is gone: " + e, e);
      }
      return locks.holding(key.value(), () -> publish(key, temporary, condition));
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  void delete(Collection<ObjectKey> keys) throws IOException {
    Set<Path> parents = new LinkedHashSet<>();
    for (ObjectKey key : keys) {
      Path file = layout.file(key);
      if (Files.exists(file) && locks.holding(key.value(), () -> Files.deleteIfExists(file))) {
        parents.add(layout.parent(key));
      }
    }
    for (Path parent : parents) {
      Directories.sync(parent);
      directories.prune(parent);
    }
  }

  /** Decides and publishes. The caller holds the key's lock. */
  private ObjectInfo publish(ObjectKey key, Path temporary, Condition condition)
      throws IOException {
    ObjectInfo there = FileObjectStore.infoOf(layout, key);
    check(key, condition, there);
    Files.setLastModifiedTime(temporary, FileTime.from(timeAfter(there)));
    // Before it is linked, for afterwards it may be anyone's.
    ObjectInfo info = FileObjectStore.info(key, temporary);
    Path file = layout.file(key);
    Path parent = layout.parent(key);
    for (int attempt = 1; ; attempt++) {
      directories.create(parent);
      try {
        place(key, temporary, file, condition);
        Directories.sync(parent);
        return info;
      } catch (NoSuchFileException e) {
        if (attempt == TRIES) {
          throw new IOException("cannot publish " + key + ": " + e, e);
        }
        directories.forget(parent);
      }
    }
  }

  private static void check(ObjectKey key, Condition condition, @Nullable ObjectInfo there) {
    if (condition.absent() && there != null) {
      throw new StoreException.PreconditionFailed(key + " is there already");
    }
    if (condition.etag() != null && (there == null || !there.etag().equals(condition.etag()))) {
      throw new StoreException.PreconditionFailed(key + " is not at " + condition.etag());
    }
  }

  private static void place(ObjectKey key, Path temporary, Path file, Condition condition)
      throws IOException {
    if (condition.absent()) {
      try {
        Files.createLink(file, temporary);
        return;
      } catch (FileAlreadyExistsException e) {
        throw new StoreException.PreconditionFailed(key + " is there already");
      } catch (UnsupportedOperationException e) {
        LOG.atDebug().addKeyValue("object", key).log("no hard links: the lock alone decides");
      } catch (FileSystemException e) {
        if (!FileErrors.lacksLinks(e)) {
          throw e;
        }
      }
    }
    Files.move(
        temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
  }

  /** Later than what it replaces, whatever the clock says, so that the etag is another. */
  private Instant timeAfter(@Nullable ObjectInfo there) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MICROS);
    if (there == null || now.isAfter(there.modified())) {
      return now;
    }
    return there.modified().truncatedTo(ChronoUnit.MICROS).plus(1, ChronoUnit.MICROS);
  }

  @Override
  public void close() throws IOException {
    scratch.close();
  }
}

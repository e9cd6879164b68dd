package io.strandline.tiering.store.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Temporary files of one store: a directory of its own, held by a file lock that dies with the
 * process, so that whoever comes later can tell what a crash left from what is being written.
 *
 * <p>Made, and leftovers swept, at the first write: a store that only reads changes nothing.
 */
final class Scratch implements AutoCloseable {
  private static final String LOCK_SUFFIX = ".lock";

  /** Opening any channel of a lock that this process holds would lose it, so we know our own. */
  private static final Set<Path> HELD_HERE = ConcurrentHashMap.newKeySet();

  private record Own(Path directory, Path lockFile, FileChannel channel) {}

  private final Path parent;
  private final WriterLocks locks;
  private final AtomicLong names = new AtomicLong();
  private @Nullable Own own;

  Scratch(Path parent, WriterLocks locks) {
    this.parent = parent;
    this.locks = locks;
  }

  /** A path for a new file that nobody else uses. */
  Path newFile() throws IOException {
    return directory().resolve(Long.toString(names.incrementAndGet()));
  }

  private synchronized Path directory() throws IOException {
    if (own == null) {
      Files.createDirectories(parent);
      own = locks.holding(parent.getFileName().toString(), this::sweepAndCreate);
    }
    return own.directory();
  }

  private Own sweepAndCreate() throws IOException {
    try (DirectoryStream<Path> entries = Files.newDirectoryStream(parent, "*" + LOCK_SUFFIX)) {
      for (Path lockFile : entries) {
        sweep(lockFile.toRealPath());
      }
    }
    Path lockFile = Files.createTempFile(parent, "", LOCK_SUFFIX).toRealPath();
    FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
    FileLock lock = channel.lock();
    assert lock.isValid();
    HELD_HERE.add(lockFile);
    return new Own(Files.createDirectories(directoryOf(lockFile)), lockFile, channel);
  }

  private static void sweep(Path lockFile) throws IOException {
    if (HELD_HERE.contains(lockFile)) {
      return;
    }
    try (FileChannel channel = FileChannel.open(lockFile, StandardOpenOption.WRITE);
        FileLock lock = channel.tryLock()) {
      if (lock != null) {
        remove(directoryOf(lockFile), lockFile);
      }
    }
  }

  private static void remove(Path directory, Path lockFile) throws IOException {
    if (Files.isDirectory(directory)) {
      try (DirectoryStream<Path> files = Files.newDirectoryStream(directory)) {
        for (Path file : files) {
          Files.deleteIfExists(file);
        }
      }
    }
    Files.deleteIfExists(directory);
    Files.deleteIfExists(lockFile);
  }

  private static Path directoryOf(Path lockFile) {
    String name = lockFile.getFileName().toString();
    return lockFile.resolveSibling(name.substring(0, name.length() - LOCK_SUFFIX.length()));
  }

  /** Leaves what cannot be removed now to the next sweep. */
  @Override
  public synchronized void close() throws IOException {
    Own mine = own;
    own = null;
    if (mine != null) {
      try {
        remove(mine.directory(), mine.lockFile());
      } finally {
        mine.channel().close();
        HELD_HERE.remove(mine.lockFile());
      }
    }
  }
}

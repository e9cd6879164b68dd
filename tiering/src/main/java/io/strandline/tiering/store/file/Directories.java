package io.strandline.tiering.store.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** The directories below a root, created and pruned so that a power cut keeps what was promised. */
final class Directories {
  private static final int REMEMBERED_MAX = 16_384;

  private final Path root;

  /** Known to be on disk, so that each costs its fsyncs once. */
  private final Set<Path> durable = ConcurrentHashMap.newKeySet();

  Directories(Path root) {
    this.root = root;
  }

  /** Makes {@code directory} and all above it, durably. */
  void create(Path directory) throws IOException {
    if (durable.contains(directory)) {
      return;
    }
    Path parent = directory.getParent();
    if (parent != null && !directory.equals(root)) {
      create(parent);
      try {
        Files.createDirectory(directory);
      } catch (FileAlreadyExistsException e) {
        if (!Files.isDirectory(directory)) {
          throw e;
        }
      }
      sync(parent);
    } else {
      Files.createDirectories(directory);
      if (parent != null) {
        sync(parent);
      }
    }
    if (durable.size() >= REMEMBERED_MAX) {
      durable.clear();
    }
    durable.add(directory);
  }

  /** Forgets what was known of {@code directory}: another process has pruned it. */
  void forget(Path directory) {
    durable.removeIf(known -> known.startsWith(directory) || directory.startsWith(known));
  }

  /** Removes {@code directory} and those above it, below the root, as long as they are empty. */
  void prune(Path directory) throws IOException {
    Path at = directory;
    while (at != null && !at.equals(root)) {
      forget(at);
      try {
        Files.deleteIfExists(at);
      } catch (DirectoryNotEmptyException e) {
        return;
      }
      at = at.getParent();
    }
  }

  /** Makes the names in {@code directory} durable; one that is gone has nothing to keep. */
  static void sync(Path directory) throws IOException {
    try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (NoSuchFileException e) {
      // Pruned: so is what was removed from it.
      return;
    }
  }
}

package io.strandline.tiering.store.file;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.locks.ReentrantLock;
import java.util.stream.Stream;

/**
 * One writer of a key at a time, among the threads of this process and among processes.
 *
 * <p>A file lock belongs to the process and is lost when <em>any</em> channel of that file is
 * closed in it, so a stripe's file is opened only while the stripe's lock of this process is held;
 * and the latter are shared by all stores of the process, for two may have the same root.
 */
final class WriterLocks {
  interface Action<T> {
    T run() throws IOException;
  }

  private static final int STRIPES = 64;
  private static final ReentrantLock[] HERE =
      Stream.generate(ReentrantLock::new).limit(STRIPES).toArray(ReentrantLock[]::new);

  private final Path directory;

  WriterLocks(Path directory) {
    this.directory = directory;
  }

  /** Runs {@code action} while no other writer holds the stripe of {@code name}. Blocks. */
  <T> T holding(String name, Action<T> action) throws IOException {
    int stripe = Math.floorMod(name.hashCode(), STRIPES);
    HERE[stripe].lock();
    try {
      Files.createDirectories(directory);
      try (FileChannel channel =
              FileChannel.open(
                  directory.resolve(Integer.toString(stripe)),
                  StandardOpenOption.CREATE,
                  StandardOpenOption.WRITE);
          FileLock lock = channel.lock()) {
        assert lock.isValid();
        return action.run();
      }
    } finally {
      HERE[stripe].unlock();
    }
  }
}

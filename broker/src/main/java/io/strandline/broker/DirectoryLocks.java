package io.strandline.broker;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.server.util.FileLock;

/** Holds Kafka's {@code .lock} of each data directory, so that no other process uses them. */
final class DirectoryLocks implements AutoCloseable {
  private final List<FileLock> locks = new ArrayList<>();

  /**
   * Locks all directories, making those that are not there.
   *
   * @throws StartException when another process has one
   */
  static DirectoryLocks take(List<Path> directories) {
    DirectoryLocks taken = new DirectoryLocks();
    for (Path directory : directories) {
      try {
        Files.createDirectories(directory);
        FileLock lock = new FileLock(directory.resolve(".lock").toFile());
        if (!lock.tryLock()) {
          lock.unlockAndClose();
          taken.close();
          throw new StartException(
              "the data directory " + directory + " is in use by another process");
        }
        taken.locks.add(lock);
      } catch (IOException e) {
        taken.close();
        throw new StartException(
            "the data directory " + directory + " can not be used: " + e.getMessage(), e);
      }
    }
    return taken;
  }

  @Override
  public void close() {
    locks.forEach(lock -> Utils.closeQuietly(lock::unlockAndClose, "directory lock"));
    locks.clear();
  }
}

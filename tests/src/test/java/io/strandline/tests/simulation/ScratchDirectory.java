package io.strandline.tests.simulation;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/**
 * Where a simulation's disks lie: in memory where the system has a file system there, because what
 * is forced is simulated and the real disk would only be waited for.
 */
final class ScratchDirectory {
  private static final Path MEMORY = Path.of("/dev/shm");

  private ScratchDirectory() {}

  /** A run in a directory of its own, which goes with it. */
  interface Run<T> {
    T in(Path directory) throws IOException;
  }

  static <T> T with(Run<T> run) {
    try {
      Path directory =
          Files.isWritable(MEMORY)
              ? Files.createTempDirectory(MEMORY, "simulation")
              : Files.createTempDirectory("simulation");
      try {
        return run.in(directory);
      } finally {
        remove(directory);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static void remove(Path root) throws IOException {
    try (Stream<Path> paths = Files.walk(root)) {
      for (Path path : paths.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

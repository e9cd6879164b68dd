package io.strandline.tests.fault.nemesis;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.List;
import java.util.Map;

/**
 * The wall clock of one process, which may be wrong and jump; what is monotonic stays so. By a
 * library put before libc's, which needs a C compiler.
 */
final class SkewedClock {
  private static final Path SOURCE =
      Path.of("src", "test", "clock", "skewed_clock.c").toAbsolutePath();

  private final Path skew;
  private final Path library;

  private SkewedClock(Path skew, Path library) {
    this.skew = skew;
    this.library = library;
  }

  /** Whether there can be one on this machine. */
  static boolean possible() throws InterruptedException {
    try {
      return new ProcessBuilder("cc", "--version")
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
    } catch (IOException none) {
      return false;
    }
  }

  /** A clock that is right so far. */
  static SkewedClock in(Path dir) throws IOException, InterruptedException {
    Files.createDirectories(dir);
    Path library = dir.resolve("skewed_clock.so");
    List<String> command =
        List.of(
            "cc", "-shared", "-fPIC", "-O2", "-o", library.toString(), SOURCE.toString(), "-ldl");
    Process compiler = new ProcessBuilder(command).inheritIO().start();
    if (compiler.waitFor() != 0) {
      throw new IOException("does not compile: " + SOURCE);
    }
    SkewedClock clock = new SkewedClock(dir.resolve("skew"), library);
    Files.write(clock.skew, new byte[Long.BYTES]);
    return clock;
  }

  /** What the process is to be started with. */
  Map<String, String> environment() {
    return Map.of("LD_PRELOAD", library.toString(), "SKEWED_CLOCK_FILE", skew.toString());
  }

  /** From now on it is wrong by this; zero: right. */
  void skew(Duration by) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.nativeOrder());
    bytes.putLong(by.toMillis()).flip();
    try (FileChannel file = FileChannel.open(skew, StandardOpenOption.WRITE)) {
      file.write(bytes, 0);
    }
  }
}

package io.strandline.tests.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.net.URISyntaxException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Stream;

/**
 * Gives a target its corpus, then inputs made from seeds: {@code -Dfuzz.seed=S} the one, {@code
 * -Dfuzz.runs=N} so many from 0 on, {@code -Dfuzz.minutes=M} as many as time allows from {@code
 * -Dfuzz.from=S} on. An input that fails is written to {@code target/fuzz}; copied into the corpus
 * it is tried for ever.
 *
 * <p>An input fails when the decoder throws what it does not promise, when it allocates more than
 * its allowance, or when it does not come back.
 */
final class Fuzz {
  /** No input needs a hundredth of it. */
  private static final long HANG_SECONDS = 60;

  private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

  private final FuzzTarget target;
  private volatile String current = "";
  private volatile long done;

  private Fuzz(FuzzTarget target) {
    this.target = target;
  }

  /**
   * @param usual how many seeds the build runs
   */
  static void run(FuzzTarget target, int usual) {
    new Fuzz(target).run(usual);
  }

  private void run(int usual) {
    FutureTask<Void> work =
        new FutureTask<>(
            () -> {
              corpus();
              seeds(usual);
              return null;
            });
    Thread thread = new Thread(work, "fuzz-" + target.name());
    thread.setDaemon(true);
    thread.start();
    await(work, thread);
  }

  private void await(FutureTask<Void> work, Thread thread) {
    while (true) {
      long before = done;
      try {
        work.get(HANG_SECONDS, TimeUnit.SECONDS);
        return;
      } catch (TimeoutException slow) {
        if (done == before) {
          AssertionError hang = new AssertionError(current + " does not come back");
          hang.setStackTrace(thread.getStackTrace());
          throw hang;
        }
      } catch (ExecutionException failure) {
        throw new AssertionError(failure.getCause().getMessage(), failure.getCause());
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private void seeds(int usual) {
    Long one = Long.getLong("fuzz.seed");
    Long minutes = Long.getLong("fuzz.minutes");
    long from = one != null ? one : Long.getLong("fuzz.from", 0);
    long count =
        one != null ? 1 : minutes != null ? Long.MAX_VALUE : Long.getLong("fuzz.runs", usual);
    long end =
        minutes == null ? Long.MAX_VALUE : System.nanoTime() + TimeUnit.MINUTES.toNanos(minutes);
    for (long i = 0; i < count && (minutes == null || System.nanoTime() < end); i++) {
      long seed = from + i;
      current = target.name() + ", seed " + seed;
      byte[] input = target.input(new Random(seed * 0x9E3779B97F4A7C15L));
      try {
        attempt(input);
      } catch (Throwable failure) {
        throw new AssertionError(
            current
                + " fails: "
                + failure
                + "\ninput in "
                + kept(input, seed)
                + "; again with: mvn -pl tests -am test -Dsurefire.failIfNoSpecifiedTests=false"
                + " -Dtest=FuzzTest#"
                + target.name()
                + " -Dfuzz.seed="
                + seed,
            failure);
      }
    }
  }

  private void attempt(byte[] input) throws Exception {
    long bytes = allocated(input);
    if (bytes > target.allowance().bytes(input)) {
      // The first time it also loads classes and fills caches.
      bytes = Math.min(bytes, allocated(input));
    }
    if (bytes > target.allowance().bytes(input)) {
      throw new AssertionError(
          input.length + " bytes of input make " + bytes + " bytes of garbage");
    }
    done = done + 1; // one thread writes
  }

  private long allocated(byte[] input) throws Exception {
    byte[] own = input.clone();
    long before = THREADS.getCurrentThreadAllocatedBytes();
    try {
      target.decode(own);
    } catch (Exception failure) {
      if (!target.promises(failure)) {
        throw failure;
      }
    }
    return THREADS.getCurrentThreadAllocatedBytes() - before;
  }

  private Path kept(byte[] input, long seed) {
    try {
      Path directory = Files.createDirectories(Path.of("target", "fuzz", target.name()));
      return Files.write(directory.resolve("seed-" + seed), input).toAbsolutePath();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Inputs that once failed. */
  private void corpus() throws Exception {
    URL folder = Fuzz.class.getResource("/fuzz/" + target.name());
    if (folder == null) {
      return;
    }
    for (Path file : files(folder)) {
      current = target.name() + ", corpus " + file.getFileName();
      try {
        attempt(Files.readAllBytes(file));
      } catch (Throwable failure) {
        throw new AssertionError(current + " fails: " + failure, failure);
      }
    }
  }

  private static List<Path> files(URL folder) throws IOException, URISyntaxException {
    try (Stream<Path> files = Files.list(Path.of(folder.toURI()))) {
      return files.sorted().toList();
    }
  }
}

package io.strandline.bench.contender;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** A child process whose output goes to a file beside its data. */
final class BrokerProcess implements AutoCloseable {
  /** Lets a profiler name what is inlined; costs the running code nothing. */
  static final String PROFILABLE = "-XX:+UnlockDiagnosticVMOptions -XX:+DebugNonSafepoints";

  private static final long READY_SECONDS = 60;

  private final String name;
  private final Process process;
  private final Path out;

  private BrokerProcess(String name, Process process, Path out) {
    this.name = name;
    this.process = process;
    this.out = out;
  }

  static BrokerProcess start(
      String name, Path dir, List<String> command, Map<String, String> environment)
      throws IOException {
    Path out = dir.resolve(name.replace(' ', '-') + ".out");
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(out.toFile());
    builder.environment().putAll(environment);
    return new BrokerProcess(name, builder.start(), out);
  }

  /** The JVM this process runs on. */
  static String java() {
    return Path.of(System.getProperty("java.home"), "bin", "java").toString();
  }

  long pid() {
    return process.pid();
  }

  /**
   * @throws IOException with the output if it ends otherwise than with 0
   */
  void awaitSuccess() throws IOException, InterruptedException {
    if (process.waitFor() != 0) {
      throw failure();
    }
  }

  /**
   * Waits until the node names itself in an answer to a metadata request.
   *
   * @throws IOException with the output if it ends first, or does not come up in a minute
   */
  void awaitReady(int port) throws IOException, InterruptedException {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(READY_SECONDS);
    while (!ReadyProbe.answers(port)) {
      if (process.waitFor(5, TimeUnit.MILLISECONDS) || System.nanoTime() > deadline) {
        process.destroyForcibly();
        throw failure();
      }
    }
  }

  private IOException failure() throws IOException {
    return new IOException(name + " did not come up: " + Files.readString(out));
  }

  @Override
  public void close() {
    process.destroy();
    try {
      if (!process.waitFor(30, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      process.destroyForcibly();
      Thread.currentThread().interrupt();
    }
  }
}

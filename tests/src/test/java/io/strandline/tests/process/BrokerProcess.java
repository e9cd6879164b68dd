package io.strandline.tests.process;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A broker in a process of its own, with its data in a directory that outlives it. The class path
 * is the test's; the entry point is the one the launcher starts.
 */
final class BrokerProcess implements AutoCloseable {
  private static final Duration READY = Duration.ofSeconds(60);
  private static final Duration STOPPED = Duration.ofSeconds(60);

  private final Path dir;
  private final Map<String, String> settings;
  private final Map<String, String> environment;
  private final int port;
  private Process process;
  private int starts;

  private BrokerProcess(
      Path dir, Map<String, String> settings, Map<String, String> environment, int port)
      throws IOException {
    this.dir = dir;
    this.settings = settings;
    this.environment = environment;
    this.port = port;
    this.process = launch();
  }

  /**
   * Starts a broker on a free port of the loopback address and waits until it serves.
   *
   * @param settings as after {@code --set}
   */
  static BrokerProcess start(Path dir, Map<String, String> settings) throws IOException {
    return start(dir, settings, Map.of());
  }

  /** The same with more in the environment of the process. */
  static BrokerProcess start(
      Path dir, Map<String, String> settings, Map<String, String> environment) throws IOException {
    return new BrokerProcess(
        dir, new LinkedHashMap<>(settings), Map.copyOf(environment), freePort());
  }

  String bootstrap() {
    return "127.0.0.1:" + port;
  }

  Path dir() {
    return dir;
  }

  /** No goodbye: what the page cache holds is all that is left. */
  void kill() throws IOException {
    process.destroyForcibly();
    await(STOPPED);
  }

  /** SIGTERM, as an operator stops it. */
  int stop() throws IOException {
    process.destroy();
    await(STOPPED);
    return process.exitValue();
  }

  void startAgain() throws IOException {
    process = launch();
  }

  /** All that the process said, over all its starts. */
  String output() throws IOException {
    return Files.readString(dir.resolve("broker.out"), StandardCharsets.UTF_8);
  }

  @Override
  public void close() throws IOException {
    if (process.isAlive()) {
      kill();
    }
  }

  private Process launch() throws IOException {
    Files.createDirectories(dir);
    starts++;
    Path out = dir.resolve("broker.out");
    ProcessBuilder builder =
        new ProcessBuilder(command())
            .directory(dir.toFile())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(out.toFile()));
    builder.environment().putAll(environment);
    Process started = builder.start();
    process = started;
    long deadline = System.nanoTime() + READY.toNanos();
    while (readyLines(out) < starts) {
      if (!started.isAlive() || System.nanoTime() > deadline) {
        started.destroyForcibly();
        throw new IOException("the broker did not come up:\n" + Files.readString(out));
      }
      pause(started);
    }
    return started;
  }

  private List<String> command() {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of("-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(List.of("-cp", System.getProperty("java.class.path")));
    command.add("io.strandline.broker.Main");
    Map<String, String> all = new LinkedHashMap<>();
    all.put("listeners", "PLAINTEXT://" + bootstrap());
    all.put("log.dirs", dir.resolve("data").toString());
    all.put("strandline.admin.listener", "127.0.0.1:0");
    all.putAll(settings);
    all.forEach(
        (key, value) -> {
          command.add("--set");
          command.add(key + "=" + value);
        });
    return command;
  }

  private static long readyLines(Path out) throws IOException {
    if (!Files.exists(out)) {
      return 0;
    }
    return Files.readAllLines(out, StandardCharsets.UTF_8).stream()
        .filter(line -> line.startsWith("Strandline is ready"))
        .count();
  }

  private void await(Duration limit) throws IOException {
    try {
      if (!process.waitFor(limit.toMillis(), TimeUnit.MILLISECONDS)) {
        throw new IOException("the broker did not end");
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    }
  }

  /** Waits a little, or until the process ends. */
  private static void pause(Process process) {
    try {
      process.waitFor(50, TimeUnit.MILLISECONDS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new IOException("interrupted", e));
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }
}

package io.strandline.tests.fault.streams;

import io.strandline.tests.process.Jvm;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.serialization.Serdes;

/** One member of {@link RunningSums} in a process of its own; its store's directory outlives it. */
final class Application implements AutoCloseable {
  private final Path dir;
  private final Map<String, String> settings;
  private Process process;
  private boolean killed;

  private Application(Path dir, Map<String, String> settings) throws IOException {
    this.dir = dir;
    this.settings = settings;
    this.process = launch();
  }

  /**
   * @param more settings of Kafka Streams, before those of every member
   */
  static Application start(Path dir, String bootstrap, Map<String, String> more)
      throws IOException {
    Files.createDirectories(dir);
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("application.id", RunningSums.GROUP);
    settings.put("client.id", dir.getFileName().toString());
    settings.put("bootstrap.servers", bootstrap);
    settings.put("state.dir", dir.resolve("state").toString());
    settings.put("default.key.serde", Serdes.StringSerde.class.getName());
    settings.put("default.value.serde", Serdes.StringSerde.class.getName());
    settings.put("replication.factor", "-1");
    settings.put("commit.interval.ms", "100");
    settings.put("statestore.cache.max.bytes", "0"); // each sum is told
    settings.put("auto.offset.reset", "earliest");
    settings.put("reconnect.backoff.max.ms", "200");
    settings.put("request.timeout.ms", "5000");
    // Longer than a start takes: Kafka Streams gives up on a transaction that timed out.
    settings.put("producer.transaction.timeout.ms", "20000");
    settings.putAll(more);
    return new Application(dir, settings);
  }

  /** No goodbye: its transaction stays open, and its session. */
  void kill() throws InterruptedException {
    requireAlive();
    killed = true;
    process.destroyForcibly().waitFor();
  }

  void startAgain() throws IOException {
    process = launch();
    killed = false;
  }

  /** Fails if it ended by itself. */
  void requireAlive() {
    if (!killed && !process.isAlive()) {
      throw new AssertionError("the application gave up, " + process.exitValue() + ":\n" + end());
    }
  }

  private String end() {
    try {
      List<String> lines = Files.readAllLines(dir.resolve("application.out"));
      return String.join("\n", lines.subList(Math.max(0, lines.size() - 60), lines.size()));
    } catch (IOException e) {
      return "no output: " + e;
    }
  }

  @Override
  public void close() {
    process.destroyForcibly();
  }

  private Process launch() throws IOException {
    List<String> command = Jvm.command(RunningSums.class.getName(), "-Xmx256m");
    settings.forEach((key, value) -> command.add(key + "=" + value));
    return new ProcessBuilder(command)
        .directory(dir.toFile())
        .redirectErrorStream(true)
        .redirectOutput(ProcessBuilder.Redirect.appendTo(dir.resolve("application.out").toFile()))
        .start();
  }
}

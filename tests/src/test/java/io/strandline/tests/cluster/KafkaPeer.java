package io.strandline.tests.cluster;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Jvm;
import io.strandline.tests.process.Ports;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import kafka.tools.StorageTool;
import org.apache.kafka.clients.admin.Admin;

/**
 * An Apache Kafka, controller and broker, in a process of its own: of the version we build on, or
 * the one whose jars are in the directory {@code -Dkafka.lib}, at the metadata version of the
 * release {@code -Dkafka.release}, by default the newest.
 */
final class KafkaPeer implements AutoCloseable {
  private static final Optional<String> RELEASE =
      Optional.ofNullable(System.getProperty("kafka.release"));
  private static final Optional<String> LIB = Optional.ofNullable(System.getProperty("kafka.lib"));

  private final Path dir;
  private final int id;
  private final int port = Ports.free();
  private final int controllerPort = Ports.free();
  private final String clusterId;
  private Process process;

  private KafkaPeer(Path dir, int id, String clusterId) throws IOException {
    this.dir = dir;
    this.id = id;
    this.clusterId = clusterId;
  }

  /**
   * Formats it and waits until it serves.
   *
   * @param settings beside addresses and directories
   */
  static KafkaPeer start(Path dir, int id, String clusterId, Map<String, String> settings)
      throws IOException {
    KafkaPeer peer = new KafkaPeer(dir, id, clusterId);
    peer.format(settings);
    peer.launch();
    return peer;
  }

  String bootstrap() {
    return "127.0.0.1:" + port;
  }

  int id() {
    return id;
  }

  /** Which a node needs that joins its quorum as a broker. */
  String voters() {
    return id + "@127.0.0.1:" + controllerPort;
  }

  Path data() {
    return dir.resolve("data");
  }

  private void format(Map<String, String> settings) throws IOException {
    Map<String, String> all = new LinkedHashMap<>(settings);
    all.put("process.roles", "broker,controller");
    all.put("node.id", Integer.toString(id));
    all.put("controller.quorum.voters", voters());
    all.put(
        "listeners", "PLAINTEXT://" + bootstrap() + ",CONTROLLER://127.0.0.1:" + controllerPort);
    all.put("controller.listener.names", "CONTROLLER");
    all.put("log.dirs", data().toString());
    format(dir.resolve("server.properties"), all);
  }

  /** With Kafka's own tool, whoever it is for. */
  private void format(Path file, Map<String, String> settings) throws IOException {
    Files.createDirectories(file.getParent());
    Properties properties = new Properties();
    properties.putAll(settings);
    try (Writer writer = Files.newBufferedWriter(file)) {
      properties.store(writer, null);
    }
    List<String> format =
        new ArrayList<>(List.of("format", "-t", clusterId, "-c", file.toString()));
    RELEASE.ifPresent(release -> format.addAll(List.of("--release-version", release)));
    ByteArrayOutputStream said = new ByteArrayOutputStream();
    if (StorageTool.execute(
            format.toArray(String[]::new), new PrintStream(said, true, StandardCharsets.UTF_8))
        != 0) {
      throw new IOException("formatting failed:\n" + said.toString(StandardCharsets.UTF_8));
    }
  }

  /** A broker of ours joins this one's cluster, and serves. */
  BrokerProcess join(Path home, int node, Map<String, String> settings) throws IOException {
    int clients = Ports.free();
    Map<String, String> all = new LinkedHashMap<>(settings);
    all.put("process.roles", "broker");
    all.put("node.id", Integer.toString(node));
    all.put("controller.quorum.voters", voters());
    all.put("controller.listener.names", "CONTROLLER");
    all.put("listeners", "PLAINTEXT://127.0.0.1:" + clients);
    all.put("log.dirs", home.resolve("data").toString());
    format(home.resolve("format.properties"), all);
    BrokerProcess broker = BrokerProcess.launch(home, clients, all);
    broker.awaitReady();
    return broker;
  }

  void launch() throws IOException {
    List<String> command = new ArrayList<>(List.of(Jvm.java(), "-Xmx512m"));
    command.addAll(List.of("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"));
    command.addAll(LIB.map(lib -> List.of("-cp", lib + "/*")).orElseGet(Jvm::classPath));
    command.addAll(List.of("kafka.Kafka", dir.resolve("server.properties").toString()));
    process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(dir.resolve("kafka.out").toFile()))
            .start();
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
      Waiting.until(
          "Apache Kafka to serve",
          () ->
              admin.describeCluster().nodes().get(10, TimeUnit.SECONDS).stream()
                  .anyMatch(node -> node.id() == id));
    }
  }

  /** No goodbye. */
  void kill() {
    process.destroyForcibly().onExit().join();
  }

  @Override
  public void close() {
    kill();
  }

  /** The files of batches of a partition there, in order. */
  static List<Path> logs(Path data, String partition) throws IOException {
    try (var files = Files.list(data.resolve(partition))) {
      return files.filter(file -> file.toString().endsWith(".log")).sorted().toList();
    }
  }
}

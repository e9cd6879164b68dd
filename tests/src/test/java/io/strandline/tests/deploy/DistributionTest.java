package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import io.strandline.tests.cluster.Records;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The tar as an operator gets it: unpacked somewhere, nothing else of the repository there. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class DistributionTest {
  @TempDir static Path unpacked;
  private static Distribution distribution = new Distribution(Path.of("nothing unpacked"));

  @TempDir Path dir;
  private final List<Process> nodes = new ArrayList<>();

  @BeforeAll
  static void unpack() throws Exception {
    distribution = Distribution.unpack(unpacked);
  }

  @AfterEach
  void endAll() throws InterruptedException {
    for (int i = nodes.size() - 1; i >= 0; i--) {
      Distribution.end(nodes.get(i));
    }
  }

  @Test
  void holdsWhatItTakesAndNothingOfTheTests() throws IOException {
    assertThat(distribution.home())
        .isDirectoryContaining("glob:**/LICENSE")
        .isDirectoryContaining("glob:**/NOTICE");
    assertThat(distribution.launcher()).isExecutable();
    try (Stream<Path> jars = Files.list(distribution.home().resolve("lib"))) {
      assertThat(jars.map(jar -> jar.getFileName().toString()))
          .allMatch(name -> name.endsWith(".jar"))
          .anyMatch(name -> name.startsWith("broker-"))
          .anyMatch(name -> name.startsWith("tools-"))
          .noneMatch(name -> name.contains("junit") || name.contains("-tests"));
    }
  }

  @Test
  void aNodeAloneServesAClientAndItsTools() throws Exception {
    int port = Ports.free();
    String bootstrap = "127.0.0.1:" + port;
    Process node =
        start(
            "server",
            Map.of(
                "listeners",
                "PLAINTEXT://" + bootstrap,
                "strandline.admin.listener",
                "off",
                "log.dirs",
                dir.resolve("data").toString()));
    awaitReady("server");
    assertThat(distribution.home()).as("shared class data").isDirectoryContaining("glob:**.jsa");
    Commands.Ended created =
        Commands.run(
            dir,
            List.of(distribution.launcher().toString(), "topics", "create", "t", "-b", bootstrap));
    assertThat(created.exitCode()).as(created.output()).isZero();
    List<String> values = Records.values("unpacked", 100);
    Records.produce(bootstrap, "t", 1, values);
    assertThat(Records.consume(bootstrap, "t", 1, 100)).isEqualTo(values);
    // Kafka's own, by a name on the PATH.
    for (List<String> kafkas :
        List.of(
            List.of("kafka-topics.sh", "--list"),
            List.of("kafka-configs.sh", "--describe", "--topic", "t", "--all"))) {
      Path link =
          Files.createSymbolicLink(dir.resolve(kafkas.get(0)), distribution.bin(kafkas.get(0)));
      List<String> command =
          new ArrayList<>(List.of(link.toString(), "--bootstrap-server", bootstrap));
      command.addAll(kafkas.subList(1, kafkas.size()));
      Commands.Ended asked = Commands.run(dir, command);
      assertThat(asked.exitCode()).as(asked.output()).isZero();
      assertThat(asked.output()).containsPattern("(?m)^t$|remote.storage.enable=");
    }
    node.destroy();
    assertThat(node.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(node.exitValue()).as("after SIGTERM").isZero();
  }

  @Test
  void theExamplesMakeACluster() throws Exception {
    String controller = "127.0.0.1:" + Ports.free();
    String internal = "127.0.0.1:" + Ports.free();
    String clients = "127.0.0.1:" + Ports.free();
    String coordinators = "127.0.0.1:" + Ports.free();
    String replay = "127.0.0.1:" + Ports.free();
    Map<String, String> all = new LinkedHashMap<>();
    all.put("controller.quorum.bootstrap.servers", controller);
    all.put("strandline.admin.listener", "off");
    // One broker of the three that the examples are for.
    all.put("min.insync.replicas", "1");
    all.put("strandline.object.store", "file:" + dir.resolve("objects"));
    String brokers =
        "INTERNAL://" + internal + ",CLIENTS://" + clients + ",REPLAY://" + coordinators;
    Map<String, Map<String, String>> own = new LinkedHashMap<>();
    own.put("controller", Map.of("listeners", "CONTROLLER://" + controller));
    own.put("broker", Map.of("listeners", brokers, "advertised.listeners", brokers));
    own.put(
        "replay-broker",
        Map.of(
            "listeners",
            "REPLAY://" + replay,
            "advertised.listeners",
            "REPLAY://" + replay,
            "strandline.cache.memory.bytes",
            "67108864",
            "strandline.cache.disk.bytes",
            "0"));
    String cluster = Uuid.randomUuid().toString();
    for (var role : own.entrySet()) {
      Map<String, String> settings = new LinkedHashMap<>(all);
      settings.putAll(role.getValue());
      settings.put("log.dirs", dir.resolve(role.getKey()).toString());
      format(role.getKey(), cluster, controller, settings);
      start(role.getKey(), settings);
    }
    for (String role : own.keySet()) {
      awaitReady(role);
      assertThat(Files.readString(out(role))).as("all keys are known").doesNotContain("unknown");
    }
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", clients))) {
      admin.createTopics(List.of(new NewTopic("t", 1, (short) 1))).all().get(60, TimeUnit.SECONDS);
    }
    List<String> values = Records.values("examples", 100);
    Records.produce(clients, "t", 1, values);
    assertThat(Records.consume(clients, "t", 1, 100)).isEqualTo(values);
    assertThat(Records.consume(replay, "t", 1, 100)).as("by replay").isEqualTo(values);
  }

  @Test
  void systemdUnderstandsTheUnit() throws Exception {
    assumeTrue(Commands.exists("systemd-analyze"), "SKIPPED: no systemd-analyze on the PATH");
    String unit = Files.readString(distribution.example("strandline.service"));
    Path copy = dir.resolve("strandline.service");
    Files.writeString(
        copy, unit.replace("/opt/strandline/bin/strandline", distribution.launcher().toString()));
    Commands.Ended verified =
        Commands.run(dir, List.of("systemd-analyze", "verify", copy.toString()));
    assertThat(verified.exitCode()).as(verified.output()).isZero();
    assertThat(verified.output()).doesNotContain("strandline.service");
  }

  private void format(String role, String cluster, String controller, Map<String, String> settings)
      throws Exception {
    List<String> command = new ArrayList<>(List.of(distribution.launcher().toString(), "format"));
    command.addAll(List.of("-t", cluster));
    command.addAll(options(role, settings));
    if (role.equals("controller")) {
      command.addAll(List.of("-I", "101@" + controller + ":" + Uuid.randomUuid()));
    }
    Commands.Ended formatted = Commands.run(dir, command);
    assertThat(formatted.exitCode()).as(formatted.output()).isZero();
  }

  private Process start(String role, Map<String, String> settings) throws IOException {
    List<String> arguments = new ArrayList<>(List.of("server"));
    arguments.addAll(options(role, settings));
    ProcessBuilder command = distribution.command(dir, out(role), arguments);
    // The first of all these starts makes class data, by a node that must not take it for its own.
    command.environment().put("STRANDLINE_OBJECT_STORE", "file:" + dir.resolve("objects"));
    Process node = command.start();
    nodes.add(node);
    return node;
  }

  private static List<String> options(String role, Map<String, String> settings) {
    List<String> options = new ArrayList<>();
    if (!role.equals("server")) {
      options.addAll(List.of("--config", distribution.example(role + ".properties").toString()));
    }
    settings.forEach((key, value) -> options.addAll(List.of("--set", key + "=" + value)));
    return options;
  }

  private Path out(String role) {
    return dir.resolve(role + ".out");
  }

  private void awaitReady(String role) {
    Waiting.until(
        role + " to be ready",
        () -> {
          String said = Files.readString(out(role));
          if (nodes.stream().anyMatch(node -> !node.isAlive())) {
            throw new AssertionError("a node ended: " + said);
          }
          return said.contains("Strandline is ready");
        });
  }
}

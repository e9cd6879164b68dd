package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlException;
import io.strandline.broker.control.quorum.NodeFormat;
import io.strandline.broker.control.quorum.NodeFormat.Levels;
import io.strandline.broker.control.quorum.NodeFormat.Order;
import io.strandline.broker.control.quorum.NodeFormat.Voters;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Jvm;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** {@code strandline format}: what it takes, what it refuses, and what a node makes of it. */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class FormatTest {
  private static final String CLUSTER = "MkU3OEVBNTcwNTJENDM2Qk";

  @TempDir Path dir;

  @Test
  void aNodeBeginsWithTheLevelsAndUsersThatWereAskedFor() throws Exception {
    int port = Ports.free();
    int controller = Ports.free();
    Path file = dir.resolve("server.properties");
    List<String> lines =
        List.of(
            "process.roles=broker,controller",
            "node.id=4",
            "controller.quorum.bootstrap.servers=127.0.0.1:" + controller,
            "controller.listener.names=CONTROLLER",
            "listeners=PLAINTEXT://127.0.0.1:" + port + ",CONTROLLER://127.0.0.1:" + controller,
            "log.dirs=" + dir.resolve("node").resolve("data"),
            "strandline.object.store=file:" + dir.resolve("objects"));
    Files.write(file, lines);
    BrokerProcess.Refusal early =
        BrokerProcess.startRefused(dir.resolve("node"), settings(lines), Map.of());
    assertThat(early.said()).singleElement().asString().contains("run strandline format");

    assertThat(format("-c", file.toString()).lines().toList())
        .singleElement()
        .asString()
        .contains("wants --cluster-id");
    assertThat(format("-t", CLUSTER, file.toString())).contains("who votes is not said");
    assertThat(
            format(
                "-t",
                CLUSTER,
                file.toString(),
                "--standalone",
                "--release-version",
                "4.0",
                "--feature",
                "group.version=0",
                "--add-scram",
                "SCRAM-SHA-512=[name=alice,password=secret]"))
        .contains("is formatted for node 4 of cluster " + CLUSTER);
    assertThat(format("-t", CLUSTER, file.toString(), "-s")).contains("already formatted");
    assertThat(format("-t", CLUSTER, file.toString(), "-s", "-g")).contains("left as it is");

    try (BrokerProcess node = BrokerProcess.launch(dir.resolve("node"), port, settings(lines))) {
      node.awaitReady();
      try (Admin admin = Admin.create(Map.of("bootstrap.servers", node.bootstrap()))) {
        assertThat(admin.describeCluster().clusterId().get(30, TimeUnit.SECONDS))
            .isEqualTo(CLUSTER);
        assertThat(
                admin
                    .describeFeatures()
                    .featureMetadata()
                    .get(30, TimeUnit.SECONDS)
                    .finalizedFeatures())
            .doesNotContainKey("group.version")
            .containsKey("metadata.version");
        Waiting.until(
            "the user to be known",
            () ->
                admin
                    .describeUserScramCredentials()
                    .users()
                    .get(30, TimeUnit.SECONDS)
                    .contains("alice"));
      }
    }
  }

  @Test
  void ordersThatContradictTheConfigurationAreRefused() {
    Map<String, String> fixed =
        Map.of(
            "process.roles", "controller",
            "node.id", "1",
            "controller.listener.names", "CONTROLLER",
            "listeners", "CONTROLLER://127.0.0.1:19093",
            "controller.quorum.voters", "1@127.0.0.1:19093",
            "log.dirs", dir.resolve("fixed").toString());
    refused(fixed, new Voters.Standalone(), "names the voters already");
    Map<String, String> broker =
        Map.of(
            "process.roles", "broker",
            "node.id", "2",
            "controller.listener.names", "CONTROLLER",
            "listeners", "PLAINTEXT://127.0.0.1:19092",
            "controller.quorum.bootstrap.servers", "127.0.0.1:19093",
            "log.dirs", dir.resolve("broker").toString());
    refused(broker, new Voters.Standalone(), "says that node 2 is none");
    refused(broker, new Voters.Initial("1@nowhere"), "wants ID@HOST:PORT:DIRECTORY");
    Map<String, String> begun = new LinkedHashMap<>(fixed);
    begun.remove("controller.quorum.voters");
    begun.put("controller.quorum.bootstrap.servers", "127.0.0.1:19093");
    begun.put("log.dirs", dir.resolve("begun").toString());
    formatted(begun, new Voters.Standalone());
    begun.put("metadata.log.dir", dir.resolve("lost").toString());
    refused(begun, new Voters.Standalone(), "the directory of the metadata, is empty");
    formatted(begun, new Voters.Elsewhere());
    Map<String, String> replaced = new LinkedHashMap<>(broker);
    replaced.put("log.dirs", dir.resolve("new") + "," + dir.resolve("begun"));
    replaced.put("node.id", "1");
    formatted(replaced, new Voters.Initial("7@127.0.0.1:19093:3AhN0mZ1TJ6m0Hq3Y3u0gA"));
    assertThat(dir.resolve("fixed")).doesNotExist();
    assertThat(dir.resolve("broker")).doesNotExist();
  }

  private static void refused(Map<String, String> settings, Voters voters, String why) {
    assertThatThrownBy(() -> formatted(settings, voters))
        .isInstanceOf(ControlException.class)
        .hasMessageContaining(why);
  }

  private static void formatted(Map<String, String> settings, Voters voters) {
    Order order =
        new Order(CLUSTER, voters, new Levels(Optional.empty(), Map.of()), List.of(), true);
    NodeFormat.format(new ControlConfig(settings), order, Uuid::randomUuid);
  }

  private static Map<String, String> settings(List<String> lines) {
    Map<String, String> settings = new LinkedHashMap<>();
    lines.forEach(line -> settings.put(line.split("=", 2)[0], line.split("=", 2)[1]));
    return settings;
  }

  /** All that it says. */
  private static String format(String... arguments) throws IOException, InterruptedException {
    List<String> command = Jvm.command("io.strandline.broker.Main", "-Xmx128m");
    command.add("format");
    command.addAll(List.of(arguments));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    return said;
  }
}

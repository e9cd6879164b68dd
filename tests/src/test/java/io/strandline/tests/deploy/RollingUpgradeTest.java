package io.strandline.tests.deploy;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.fault.exactly.Workload;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three nodes, brokers and controllers, that go from another version to this one and back, one at a
 * time, under transactions, plain producers, groups and readers of both isolations, whose {@link
 * Workload checker} then judges what all of them saw. {@code -Dupgrade.other=HOME} is the other
 * version: a distribution, or a checkout that was built. Crash model: process.
 */
@EnabledIfSystemProperty(
    named = "upgrade.other",
    matches = ".+",
    disabledReason = "wants another version: -Dupgrade.other=HOME")
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class RollingUpgradeTest {
  private static final List<Integer> NODES = List.of(1, 2, 3);
  private static final int TRANSACTIONS = 60;
  private static final long SEED = Long.getLong("fault.seed", new Random().nextLong(1_000_000));

  @TempDir Path dir;
  private final Map<Integer, Process> running = new TreeMap<>();
  private final Map<Integer, Integer> clients = new TreeMap<>();
  private final Map<Integer, Integer> internal = new TreeMap<>();
  private final Map<Integer, Integer> controllers = new TreeMap<>();

  @AfterEach
  void endAll() throws InterruptedException {
    for (Process node : running.values()) {
      node.destroyForcibly().waitFor();
    }
  }

  @Test
  void nothingIsLostOnTheWayThereAndOnTheWayBack() throws Exception {
    System.out.println("RollingUpgradeTest: -Dfault.seed=" + SEED);
    Distribution theirs = new Distribution(Path.of(System.getProperty("upgrade.other")));
    Distribution ours = Distribution.unpack(Files.createDirectory(dir.resolve("dist")));
    assertThat(theirs.launcher()).isExecutable();
    for (int node : NODES) {
      clients.put(node, Ports.free());
      internal.put(node, Ports.free());
      controllers.put(node, Ports.free());
    }
    format(theirs);
    for (int node : NODES) {
      start(theirs, node);
    }
    try (Workload workload = new Workload(bootstrap(), "", new Random(SEED), Map.of())) {
      workload.awaitTransactions(TRANSACTIONS);
      for (Distribution next : List.of(ours, theirs)) {
        for (int node : NODES) {
          stop(node);
          start(next, node);
          awaitInSync();
          workload.awaitTransactions(TRANSACTIONS);
          workload.check();
        }
      }
      workload.finish();
      workload.assertTiered();
    }
  }

  private void format(Distribution distribution) throws Exception {
    String cluster = Uuid.randomUuid().toString();
    String voters =
        NODES.stream()
            .map(n -> n + "@127.0.0.1:" + controllers.get(n) + ":" + Uuid.randomUuid())
            .collect(Collectors.joining(","));
    for (int node : NODES) {
      Files.writeString(
          file(node),
          settings(node).entrySet().stream()
              .map(e -> e.getKey() + "=" + e.getValue() + "\n")
              .collect(Collectors.joining()));
      List<String> command = new ArrayList<>(List.of(distribution.launcher().toString(), "format"));
      command.addAll(List.of("--config", file(node).toString(), "-t", cluster, "-I", voters));
      Commands.Ended formatted = Commands.run(dir, command);
      assertThat(formatted.exitCode()).as(formatted.output()).isZero();
    }
  }

  private Map<String, String> settings(int node) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("process.roles", "broker,controller");
    all.put("node.id", Integer.toString(node));
    String brokers =
        "INTERNAL://127.0.0.1:" + internal.get(node) + ",CLIENTS://127.0.0.1:" + clients.get(node);
    all.put("listeners", brokers + ",CONTROLLER://127.0.0.1:" + controllers.get(node));
    all.put("advertised.listeners", brokers);
    all.put(
        "listener.security.protocol.map",
        "INTERNAL:PLAINTEXT,CLIENTS:PLAINTEXT,CONTROLLER:PLAINTEXT");
    all.put("inter.broker.listener.name", "INTERNAL");
    all.put("controller.listener.names", "CONTROLLER");
    all.put(
        "controller.quorum.bootstrap.servers",
        controllers.values().stream()
            .map(port -> "127.0.0.1:" + port)
            .collect(Collectors.joining(",")));
    all.put("log.dirs", dir.resolve("node-" + node).toString());
    all.put("strandline.object.store", "file:" + dir.resolve("objects"));
    all.put("strandline.admin.listener", "off");
    all.put("strandline.tier.check.ms", "200");
    all.put("strandline.tier.reclaim.ms", "1000");
    all.put("strandline.tier.upload.min.bytes", "0");
    all.put("strandline.tier.gather.ms", "200");
    all.put("default.replication.factor", "3");
    all.put("min.insync.replicas", "2");
    for (String topic : List.of("offsets.topic", "transaction.state.log")) {
      all.put(topic + ".replication.factor", "3");
      all.put(topic + ".num.partitions", "3");
    }
    all.put("transaction.state.log.min.isr", "2");
    all.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    all.put("group.initial.rebalance.delay.ms", "0");
    all.put("log.segment.delete.delay.ms", "500");
    return all;
  }

  private void start(Distribution version, int node) throws IOException {
    ProcessBuilder builder =
        version.command(dir, out(node), List.of("server", "--config", file(node).toString()));
    Files.deleteIfExists(out(node));
    builder.environment().put("STRANDLINE_HEAP", "256m");
    builder.environment().put("STRANDLINE_CLASS_DATA", dir.toString());
    running.put(node, builder.start());
    if (running.size() == NODES.size()) {
      NODES.forEach(this::awaitReady);
    }
  }

  private void awaitReady(int node) {
    Waiting.until(
        "node " + node + " to be ready",
        () -> {
          String said = Files.exists(out(node)) ? Files.readString(out(node)) : "";
          assertThat(running.get(node).isAlive()).as(said).isTrue();
          return said.contains("Strandline is ready");
        });
  }

  private void stop(int node) throws InterruptedException, IOException {
    Process process = running.get(node);
    process.destroy();
    assertThat(process.waitFor(90, TimeUnit.SECONDS)).as("node %d ends", node).isTrue();
    assertThat(process.exitValue()).as(Files.readString(out(node))).isZero();
  }

  /** All replicas of all partitions are in sync, internal topics included. */
  private void awaitInSync() {
    Waiting.until(
        "all replicas to be in sync",
        () -> {
          try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
            List<String> topics =
                admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get().stream()
                    .toList();
            return admin.describeTopics(topics).allTopicNames().get().values().stream()
                .flatMap(topic -> topic.partitions().stream())
                .allMatch(p -> p.isr().size() == p.replicas().size());
          }
        });
  }

  private String bootstrap() {
    return clients.values().stream()
        .map(port -> "127.0.0.1:" + port)
        .collect(Collectors.joining(","));
  }

  private Path file(int node) {
    return dir.resolve("node-" + node + ".properties");
  }

  private Path out(int node) {
    return dir.resolve("node-" + node + ".out");
  }
}

package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.ToolProcess;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A cluster that grows by a broker and shrinks by another while producers go on. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class BalanceTest {
  private static final String TOPIC = "elastic";
  private static final int PARTITIONS = 12;
  private static final int HISTORY = 30_000;
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path dir;

  @Test
  void aNewBrokerTakesItsShareAndADrainedOneEndsWithNothing() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .later(4)
            .replicas(2, 2)
            .start()) {
      List<String> sent = history(cluster);
      try (SteadyProducer producer = new SteadyProducer(cluster.bootstrap(), TOPIC, PARTITIONS)) {
        cluster.join(4);
        aNewBrokerTakesItsShare(cluster);
        leadersGoAndComeBack(cluster);
        aDrainedBrokerEndsWithNothing(cluster);
        aBrokerThatIsAliveStaysRegistered(cluster);
        cluster.node(2).stop();
        aBrokerThatIsGoneIsTakenOut(cluster);
        oneInSyncIsEnough(cluster);
        cluster.node(3).kill();
        aDeadBrokerIsDrainedWithALimit(cluster);
        producer.awaitMore(200);
        producer.stop();
        sent.addAll(producer.acknowledged());
      }
      List<String> found = Records.consume(cluster.bootstrap(1), TOPIC, PARTITIONS, sent.size());
      found.sort(null);
      sent.sort(null);
      assertThat(found.equals(sent)).as("each of %d records once", sent.size()).isTrue();
    }
  }

  private void aNewBrokerTakesItsShare(TestCluster cluster) throws Exception {
    List<JsonNode> preview = balance(cluster, 0);
    assertThat(holding(cluster, 4)).as("a preview moves nothing").isEmpty();
    long told = last(preview).get("copyBytes").asLong();

    long began = System.nanoTime();
    List<JsonNode> done = balance(cluster, 0, "--execute");
    System.out.printf(
        "the new broker had its share %.1f s after the command began; the moves took %s s and"
            + " copied %,d bytes, as told; what was produced is %,d bytes%n",
        (System.nanoTime() - began) / 1e9, last(done).get("seconds"), told, HISTORY * 1000L);
    assertThat(holding(cluster, 4)).hasSize(PARTITIONS * 2 / 4);
    assertThat(led(cluster))
        .as("leaders by broker")
        .hasSize(4)
        .allSatisfy((b, n) -> assertThat(n).isEqualTo(3));
    // The tier has the rest.
    assertThat(told).as("what was told to be copied").isLessThan(HISTORY * 1000L / 4);
    assertThat(bytesOn(cluster, 4)).as("bytes on the new broker").isLessThan(HISTORY * 1000L / 4);
    assertThat(last(balance(cluster, 0)).get("moves").asLong()).as("planned again").isZero();
  }

  /**
   * With replicas left where they are, which is all that a broker can do that is slow for a while.
   */
  private void leadersGoAndComeBack(TestCluster cluster) throws Exception {
    int held = holding(cluster, 3).size();
    balance(cluster, 0, "--execute", "--leaders-off", "3");
    assertThat(led(cluster)).as("leaders by broker").doesNotContainKey(3).hasSize(3);
    assertThat(holding(cluster, 3))
        .hasSize(held)
        .allSatisfy(p -> assertThat(p.replicas().get(0).id()).as("preferred").isNotEqualTo(3));
    List<JsonNode> back = balance(cluster, 0, "--execute");
    assertThat(back).noneMatch(row -> row.path("state").asText().equals("cordoned"));
    assertThat(led(cluster)).as("leaders by broker").hasSize(4);
  }

  /** Else what only one of two is left of has no end that it could tell until it is copied. */
  private static void oneInSyncIsEnough(TestCluster cluster) throws Exception {
    AlterConfigOp one =
        new AlterConfigOp(new ConfigEntry("min.insync.replicas", "1"), AlterConfigOp.OpType.SET);
    ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
    cluster.admin().incrementalAlterConfigs(Map.of(all, List.of(one))).all().get();
  }

  private void aDeadBrokerIsDrainedWithALimit(TestCluster cluster) throws Exception {
    Waiting.until(
        "the dead broker to be fenced",
        () ->
            cluster.admin().describeCluster().nodes().get(30, TimeUnit.SECONDS).stream()
                .noneMatch(node -> node.id() == 3));
    ToolProcess.Ended ended =
        ToolProcess.run(
            dir,
            Map.of(),
            arguments(cluster, "--execute", "--drain", "3", "--throttle", "50000000"));
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isZero();
    assertThat(ended.err()).contains("broker 3 is not cordoned", "it is not alive");
    assertThat(holding(cluster, 3)).isEmpty();
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, TOPIC);
    assertThat(cluster.admin().describeConfigs(List.of(topic)).all().get().get(topic).entries())
        .filteredOn(entry -> entry.name().endsWith("throttled.replicas"))
        .as("limits that stay")
        .allMatch(entry -> entry.value().isEmpty());
  }

  private void aDrainedBrokerEndsWithNothing(TestCluster cluster) throws Exception {
    long began = System.nanoTime();
    assertThat(last(balance(cluster, 0, "--execute", "--drain", "2")).get("drained").toString())
        .isEqualTo("[2]");
    System.out.printf("drained in %.1f s%n", (System.nanoTime() - began) / 1e9);
    assertThat(holding(cluster, 2)).isEmpty();
    Waiting.until("nothing on the drained broker's disk", () -> bytesOn(cluster, 2) == 0);
    cluster
        .admin()
        .createTopics(List.of(new NewTopic("later", Optional.of(12), Optional.empty())))
        .all()
        .get(30, TimeUnit.SECONDS);
    // The broker that is asked what it consists of may hear of it later than the one that names it.
    Waiting.until("all brokers to know of it", () -> partitions(cluster).size() == PARTITIONS + 12);
    assertThat(holding(cluster, 2)).as("what was created while it is cordoned").isEmpty();
  }

  private void aBrokerThatIsAliveStaysRegistered(TestCluster cluster) throws Exception {
    assertThat(unregister(cluster, 1, 2).err()).asString().contains("broker 2 is alive");
    assertThat(unregister(cluster, 1, 99).err()).asString().contains("no broker 99");
    assertThat(registered(cluster)).containsExactlyInAnyOrder(1, 2, 3, 4);
  }

  private void aBrokerThatIsGoneIsTakenOut(TestCluster cluster) throws Exception {
    Waiting.until(
        "the broker that stopped to be fenced", () -> brokers(cluster).contains("2 fenced"));
    unregister(cluster, 0, 2);
    assertThat(registered(cluster)).containsExactlyInAnyOrder(1, 3, 4);
  }

  private static Set<Integer> registered(TestCluster cluster) throws Exception {
    return cluster
        .admin()
        .describeCluster(new DescribeClusterOptions().includeFencedBrokers(true))
        .nodes()
        .get(30, TimeUnit.SECONDS)
        .stream()
        .map(Node::id)
        .collect(Collectors.toSet());
  }

  /** Each as id and state, by the tool. */
  private List<String> brokers(TestCluster cluster) throws Exception {
    ToolProcess.Ended ended =
        ToolProcess.run(dir, Map.of(), "brokers", "list", "-b", cluster.bootstrap(1), "--json");
    assertThat(ended.exitCode()).as("%s", ended.err()).isZero();
    List<String> all = new ArrayList<>();
    for (String line : ended.out()) {
      JsonNode row = JSON.readTree(line);
      all.add(row.get("broker").asText() + " " + row.get("state").asText());
    }
    return all;
  }

  private ToolProcess.Ended unregister(TestCluster cluster, int exitCode, int id) throws Exception {
    ToolProcess.Ended ended =
        ToolProcess.run(
            dir,
            Map.of(),
            "brokers",
            "unregister",
            Integer.toString(id),
            "--bootstrap-server",
            cluster.bootstrap(1));
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isEqualTo(exitCode);
    return ended;
  }

  // ---- the tool

  private List<JsonNode> balance(TestCluster cluster, int exitCode, String... more)
      throws Exception {
    ToolProcess.Ended ended = ToolProcess.run(dir, Map.of(), arguments(cluster, more));
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isEqualTo(exitCode);
    List<JsonNode> rows = new ArrayList<>();
    for (String line : ended.out()) {
      rows.add(JSON.readTree(line));
    }
    return rows;
  }

  private static String[] arguments(TestCluster cluster, String... more) {
    List<String> arguments =
        new ArrayList<>(List.of("balance", "-b", cluster.bootstrap(1), "--sample", "1", "--json"));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  private static JsonNode last(List<JsonNode> rows) {
    return rows.get(rows.size() - 1);
  }

  // ---- what lies where

  private List<String> history(TestCluster cluster) throws Exception {
    Map<Integer, List<Integer>> replicas = new TreeMap<>();
    for (int p = 0; p < PARTITIONS; p++) {
      replicas.put(p, List.of(p % 3 + 1, (p + 1) % 3 + 1));
    }
    ClusterTopics.create(
        cluster, TOPIC, replicas, Map.of("segment.bytes", "1048576", "local.retention.bytes", "1"));
    List<String> values = Records.values("history " + "x".repeat(980), HISTORY);
    Records.produce(cluster.bootstrap(), TOPIC, PARTITIONS, values);
    Map<TopicPartition, OffsetSpec> tiered =
        new TreeMap<>(Comparator.comparing(TopicPartition::toString));
    replicas
        .keySet()
        .forEach(p -> tiered.put(new TopicPartition(TOPIC, p), OffsetSpec.latestTiered()));
    Waiting.until(
        "all but the last segments in the tier",
        () ->
            cluster.admin().listOffsets(tiered).all().get(30, TimeUnit.SECONDS).values().stream()
                .allMatch(found -> found.offset() > HISTORY / PARTITIONS / 2));
    return new ArrayList<>(values);
  }

  private static List<TopicPartitionInfo> partitions(TestCluster cluster) throws Exception {
    List<TopicPartitionInfo> all = new ArrayList<>();
    for (var topic :
        cluster
            .admin()
            .describeTopics(cluster.admin().listTopics().names().get(30, TimeUnit.SECONDS))
            .allTopicNames()
            .get(30, TimeUnit.SECONDS)
            .values()) {
      all.addAll(topic.partitions());
    }
    return all;
  }

  private static List<TopicPartitionInfo> holding(TestCluster cluster, int broker)
      throws Exception {
    return partitions(cluster).stream()
        .filter(p -> p.replicas().stream().map(Node::id).anyMatch(id -> id == broker))
        .toList();
  }

  private static Map<Integer, Integer> led(TestCluster cluster) throws Exception {
    Map<Integer, Integer> led = new TreeMap<>();
    partitions(cluster).forEach(p -> led.merge(p.leader().id(), 1, Integer::sum));
    return led;
  }

  private static long bytesOn(TestCluster cluster, int broker) throws Exception {
    try (Stream<Path> files = Files.walk(cluster.directory(broker).resolve("data"))) {
      long bytes = 0;
      for (Path log : files.filter(BalanceTest::isLog).toList()) {
        bytes += Files.size(log);
      }
      return bytes;
    }
  }

  private static boolean isLog(Path file) {
    // What is deleted stays for a minute under another name.
    return file.toString().endsWith(".log")
        && file.getParent().getFileName().toString().matches(TOPIC + "-\\d+");
  }
}

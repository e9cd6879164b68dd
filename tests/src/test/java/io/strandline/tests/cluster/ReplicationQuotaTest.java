package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replication quotas (KIP-73): a new replica keeps to its rate, those in sync are not held up. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ReplicationQuotaTest {
  private static final int RECORD = 10_000;
  private static final int RECORDS = 600;
  private static final long TAIL = (long) RECORD * RECORDS;
  private static final long FETCH = 1 << 20; // replica.fetch.max.bytes
  private static final String LEADER_RATE = "leader.replication.throttled.rate";
  private static final String FOLLOWER_RATE = "follower.replication.throttled.rate";
  private static final String LEADER_REPLICAS = "leader.replication.throttled.replicas";
  private static final String FOLLOWER_REPLICAS = "follower.replication.throttled.replicas";
  private static final String TOPICS = "kafka.server:type=BrokerTopicMetrics,name=";
  private static final String LAG =
      "kafka.server:type=ReplicaFetcherManager,name=MaxLag,clientId=Replica";

  @TempDir Path dir;

  @Test
  void aNewReplicaKeepsToTheRateAndThoseInSyncDoNotWait() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 2)
            .start()) {
      theLeaderGivesNoMore(cluster);
      theFollowerAsksForNoMore(cluster);
      kafkasToolSetsAndRemovesIt(cluster);
      balanceSetsItAndRemovesItInterruptedOrNot(cluster);
    }
  }

  private void theLeaderGivesNoMore(TestCluster cluster) throws Exception {
    TopicPartition partition = tail(cluster, "led", Map.of(LEADER_REPLICAS, "*"));
    alter(cluster, 2, LEADER_RATE, "1000");
    try (Beans leader = Beans.of(cluster.node(2))) {
      itStands(cluster, partition, leader);
      assertThat((double) leader.attribute("kafka.server:type=LeaderReplication", "byte-rate"))
          .isGreaterThan(1000);
      alter(cluster, 2, LEADER_RATE, "");
      itArrives(cluster, partition, leader);
    }
  }

  private void theFollowerAsksForNoMore(TestCluster cluster) throws Exception {
    TopicPartition partition = tail(cluster, "followed", Map.of(FOLLOWER_REPLICAS, "0:1"));
    alter(cluster, 1, FOLLOWER_RATE, "1000");
    try (Beans leader = Beans.of(cluster.node(2));
        Beans follower = Beans.of(cluster.node(1))) {
      itStands(cluster, partition, leader);
      assertThat((double) follower.attribute("kafka.server:type=FollowerReplication", "byte-rate"))
          .isGreaterThan(1000);
      assertThat(follower.value(LAG)).isGreaterThan(RECORDS / 2);
      alter(cluster, 1, FOLLOWER_RATE, "");
      itArrives(cluster, partition, leader);
      Waiting.until("no lag", () -> follower.value(LAG) == 0);
      assertThat(follower.count(TOPICS + "ReassignmentBytesInPerSec")).isGreaterThan(TAIL);
    }
  }

  /** A new replica that would be there at once stands still while the others go on. */
  private void itStands(TestCluster cluster, TopicPartition partition, Beans leader)
      throws Exception {
    long began = System.nanoTime();
    ClusterTopics.reassign(cluster.admin(), partition, List.of(2, 3, 1));
    Waiting.until("the new replica to begin", () -> bytes(cluster, 1, partition) > 0);
    write(cluster, partition.topic()); // acknowledged by two of two in sync
    assertThat(ClusterTopics.inSync(cluster, partition)).isEqualTo(Set.of(2, 3));
    // After eleven windows of a second without a byte it may have one fetch more.
    long windows = TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - began) / 10;
    assertThat(bytes(cluster, 1, partition))
        .isLessThan((2 + windows) * FETCH)
        .isLessThan(bytes(cluster, 3, partition));
    assertThat(bytes(cluster, 3, partition)).isGreaterThan(2 * TAIL);
    assertThat(leader.value("kafka.server:type=ReplicaManager,name=ReassigningPartitions"))
        .isEqualTo(1);
  }

  private void itArrives(TestCluster cluster, TopicPartition partition, Beans leader)
      throws Exception {
    ClusterTopics.awaitInSync(cluster, partition, Set.of(1, 2, 3));
    assertThat(leader.count(TOPICS + "ReassignmentBytesOutPerSec")).isGreaterThan(2 * TAIL);
    assertThat(leader.count(TOPICS + "ReplicationBytesOutPerSec"))
        .as("to the new replica and to the one in sync")
        .isGreaterThan(4 * TAIL);
  }

  private void kafkasToolSetsAndRemovesIt(TestCluster cluster) throws Exception {
    TopicPartition partition = tail(cluster, "moved", Map.of());
    Path plan = dir.resolve("plan.json");
    Files.writeString(
        plan,
        "{\"version\":1,\"partitions\":"
            + "[{\"topic\":\"moved\",\"partition\":0,\"replicas\":[2,1]}]}");
    long rate = 2_000_000;
    long began = System.nanoTime();
    reassign(cluster, plan, "--execute", "--throttle", Long.toString(rate));
    assertThat(configs(cluster, ConfigResource.Type.TOPIC, "moved"))
        .containsEntry(LEADER_REPLICAS, "0:2,0:3")
        .containsEntry(FOLLOWER_REPLICAS, "0:1");
    ClusterTopics.awaitMoved(cluster.admin(), partition, Set.of(2, 1));
    double seconds = (System.nanoTime() - began) / 1e9;
    assertThat(seconds)
        .as("seconds for %d bytes at %d a second, the first window and a fetch free", TAIL, rate)
        .isGreaterThan((TAIL - rate - FETCH) / (double) rate);
    assertThat(reassign(cluster, plan, "--verify")).contains("Clearing");
    nothingIsLimited(cluster);
  }

  private static void nothingIsLimited(TestCluster cluster) throws Exception {
    assertThat(configs(cluster, ConfigResource.Type.TOPIC, "moved"))
        .doesNotContainKeys(LEADER_REPLICAS, FOLLOWER_REPLICAS);
    for (int broker : cluster.brokers()) {
      assertThat(configs(cluster, ConfigResource.Type.BROKER, Integer.toString(broker)))
          .doesNotContainKeys(LEADER_RATE, FOLLOWER_RATE);
    }
  }

  private void balanceSetsItAndRemovesItInterruptedOrNot(TestCluster cluster) throws Exception {
    cluster.admin().deleteTopics(List.of("led", "followed")).all().get(30, TimeUnit.SECONDS);
    TopicPartition partition = new TopicPartition("moved", 0);
    Process slow = ToolProcess.start(dir, balance(cluster, "--drain", "2", "--throttle", "1000"));
    Waiting.until("the new replica to begin", () -> bytes(cluster, 3, partition) > 0);
    assertThat(configs(cluster, ConfigResource.Type.TOPIC, "moved"))
        .containsEntry(LEADER_REPLICAS, "0:1,0:2")
        .containsEntry(FOLLOWER_REPLICAS, "0:3");
    assertThat(configs(cluster, ConfigResource.Type.BROKER, "3"))
        .containsEntry(FOLLOWER_RATE, "1000");
    assertThat(bytes(cluster, 3, partition)).isLessThan(TAIL);
    slow.destroy(); // SIGTERM
    assertThat(slow.waitFor()).isNotZero();
    nothingIsLimited(cluster);
    ClusterTopics.awaitMoved(cluster.admin(), partition, Set.of(1, 3));

    ToolProcess.Ended ended =
        ToolProcess.run(
            dir,
            Map.of(),
            balance(cluster, "--drain", "3", "--uncordon", "2", "--throttle", "20000000"));
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isZero();
    nothingIsLimited(cluster);
    ClusterTopics.awaitMoved(cluster.admin(), partition, Set.of(1, 2));
  }

  private static String[] balance(TestCluster cluster, String... more) {
    List<String> all =
        new ArrayList<>(
            List.of("balance", "-b", cluster.bootstrap(1), "--sample", "1", "--execute"));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  private static String reassign(TestCluster cluster, Path plan, String... what) throws Exception {
    List<String> arguments =
        new ArrayList<>(
            List.of(
                "--bootstrap-server",
                cluster.bootstrap(),
                "--reassignment-json-file",
                plan.toString()));
    arguments.addAll(List.of(what));
    return KafkaTool.run(
        "org.apache.kafka.tools.reassign.ReassignPartitionsCommand",
        arguments.toArray(String[]::new));
  }

  // ---- what is set

  private static void alter(TestCluster cluster, int broker, String key, String value)
      throws Exception {
    ConfigResource resource =
        new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(broker));
    Collection<AlterConfigOp> change =
        List.of(
            new AlterConfigOp(
                new ConfigEntry(key, value), value.isEmpty() ? OpType.DELETE : OpType.SET));
    cluster
        .admin()
        .incrementalAlterConfigs(Map.of(resource, change))
        .all()
        .get(30, TimeUnit.SECONDS);
    Waiting.until(
        key + " of broker " + broker + ": " + value,
        () ->
            configs(cluster, ConfigResource.Type.BROKER, resource.name())
                .getOrDefault(key, "")
                .equals(value));
  }

  /** What was set, and is not there by default. */
  private static Map<String, String> configs(
      TestCluster cluster, ConfigResource.Type type, String name) throws Exception {
    ConfigResource resource = new ConfigResource(type, name);
    Map<String, String> found = new TreeMap<>();
    cluster
        .admin()
        .describeConfigs(List.of(resource))
        .all()
        .get(30, TimeUnit.SECONDS)
        .get(resource)
        .entries()
        .stream()
        .filter(entry -> !entry.isDefault() && entry.value() != null)
        .forEach(entry -> found.put(entry.name(), entry.value()));
    return found;
  }

  // ---- records

  /** A partition on 2 and 3 whose bytes are all in the active segment. */
  private static TopicPartition tail(TestCluster cluster, String topic, Map<String, String> configs)
      throws Exception {
    ClusterTopics.create(cluster, topic, Map.of(0, List.of(2, 3)), configs);
    write(cluster, topic);
    return new TopicPartition(topic, 0);
  }

  private static void write(TestCluster cluster, String topic) throws Exception {
    Records.produce(cluster.bootstrap(), topic, 1, Records.values("x".repeat(RECORD), RECORDS));
  }

  private static long bytes(TestCluster cluster, int node, TopicPartition partition)
      throws IOException {
    Path data = cluster.directory(node).resolve("data");
    if (Files.notExists(data.resolve(partition.toString()))) {
      return 0;
    }
    long bytes = 0;
    for (Path log : KafkaPeer.logs(data, partition.toString())) {
      bytes += Files.size(log);
    }
    return bytes;
  }
}

package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * Who may lead when too few are left: eligible leader replicas (KIP-966), and elections of replicas
 * that may miss what was acknowledged.
 */
@Timeout(value = 8, unit = TimeUnit.MINUTES)
@EnabledIfSystemProperty(named = "unclean.elections", matches = "true")
class UncleanElectionTest {
  private static final TopicPartition PARTITION = new TopicPartition("few", 0);

  @TempDir Path dir;
  private final List<String> kept = new ArrayList<>();

  @Test
  void whoStoppedInOrderLeadsAgainAndWhoDidNotOnlyWhenTold() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .set("unclean.leader.election.interval.ms", "500")
            .start()) {
      ClusterTopics.create(
          cluster, PARTITION.topic(), Map.of(0, List.of(2, 3)), Map.of("min.insync.replicas", "2"));
      write(cluster, "all", "both have", 100);
      aMemberOfTheElrLeadsWithoutLoss(cluster);
      aReplicaThatDiedIsNotTaken(cluster);
      toldToItLeadsAndTheOtherGivesWay(cluster);
      theTopicMayAllowIt(cluster);
    }
  }

  private void aMemberOfTheElrLeadsWithoutLoss(TestCluster cluster) throws Exception {
    cluster.node(3).stop();
    Waiting.until("3 to be eligible", () -> elr(cluster).equals(Set.of(3)));
    ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2));
    cluster.node(2).stop();
    awaitNoLeader(cluster);
    assertThat(elr(cluster)).containsExactlyInAnyOrder(2, 3);
    cluster.node(3).startAgain();
    ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
    // Alone it does not move the high watermark, which it may have heard of late.
    cluster.node(2).startAgain();
    ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
    assertThat(read(cluster)).isEqualTo(kept);
    elect(cluster, "preferred");
    ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(2));
  }

  /** It may have lost what was not on its disk yet, and the controller is told so. */
  private void aReplicaThatDiedIsNotTaken(TestCluster cluster) throws Exception {
    leaveOnlyTheOneThatMisses(cluster);
    assertThat(elr(cluster)).as("eligible").doesNotContain(3);
    assertThat(ClusterTopics.leader(cluster, PARTITION)).isEqualTo(-1);
  }

  private void toldToItLeadsAndTheOtherGivesWay(TestCluster cluster) throws Exception {
    elect(cluster, "unclean");
    ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
    theOtherGivesWay(cluster);
  }

  private void theTopicMayAllowIt(TestCluster cluster) throws Exception {
    leaveOnlyTheOneThatMisses(cluster);
    ConfigResource topic = new ConfigResource(ConfigResource.Type.TOPIC, PARTITION.topic());
    Collection<AlterConfigOp> allow =
        List.of(
            new AlterConfigOp(
                new ConfigEntry("unclean.leader.election.enable", "true"), OpType.SET));
    cluster.admin().incrementalAlterConfigs(Map.of(topic, allow)).all().get(30, TimeUnit.SECONDS);
    ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
    theOtherGivesWay(cluster);
  }

  /** What only 2 had is gone, and nothing else. */
  private void theOtherGivesWay(TestCluster cluster) throws Exception {
    cluster.node(2).startAgain();
    ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
    elect(cluster, "preferred");
    ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(2));
    write(cluster, "all", "after " + kept.size(), 50);
    assertThat(read(cluster)).isEqualTo(kept);
    Waiting.until("equal logs", () -> Arrays.equals(log(cluster, 2), log(cluster, 3)));
  }

  /** 2 and 3 die, 2 with records that only it acknowledged, and 3 comes back alone. */
  private void leaveOnlyTheOneThatMisses(TestCluster cluster) throws Exception {
    cluster.node(3).kill();
    ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2));
    List<String> before = List.copyOf(kept);
    write(cluster, "1", "only 2 has " + kept.size(), 50);
    kept.clear();
    kept.addAll(before);
    cluster.node(2).kill();
    awaitNoLeader(cluster);
    cluster.node(3).startAgain();
    ClusterTopics.awaitLive(cluster, Set.of(1, 3));
  }

  private static void awaitNoLeader(TestCluster cluster) {
    Waiting.until("no leader", () -> ClusterTopics.leader(cluster, PARTITION) == -1);
  }

  private static Set<Integer> elr(TestCluster cluster) throws Exception {
    return ClusterTopics.describe(cluster, PARTITION).elr().stream()
        .map(Node::id)
        .collect(Collectors.toSet());
  }

  private static byte[] log(TestCluster cluster, int node) throws IOException {
    Path data = cluster.directory(node).resolve("data");
    List<Path> logs = KafkaPeer.logs(data, PARTITION.toString());
    assertThat(logs).hasSize(1);
    return Files.readAllBytes(logs.get(0));
  }

  private static void elect(TestCluster cluster, String type) throws Exception {
    String said =
        KafkaTool.run(
            "org.apache.kafka.tools.LeaderElectionCommand",
            "--bootstrap-server",
            cluster.bootstrap(),
            "--election-type",
            type,
            "--topic",
            PARTITION.topic(),
            "--partition",
            "0");
    assertThat(said).contains("uccessfully");
  }

  private void write(TestCluster cluster, String acks, String prefix, int count) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("acks", acks);
    properties.put("enable.idempotence", Boolean.toString(acks.equals("all")));
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      for (String value : Records.values(prefix, count)) {
        producer
            .send(new ProducerRecord<>(PARTITION.topic(), 0, null, value))
            .get(60, TimeUnit.SECONDS);
        kept.add(value);
      }
    }
  }

  private List<String> read(TestCluster cluster) {
    return Records.consume(cluster.bootstrap(), PARTITION.topic(), 1, kept.size());
  }
}

package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three brokers with a partition each: clients come in by any of them and find all. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class SpreadTopicsTest {
  private static final String TOPIC = "spread";
  private static final int PARTITIONS = 3;
  private static final int RECORDS = 300;

  @TempDir Path dir;

  @Test
  void everyBrokerLeadsClientsToAllPartitions() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .start()) {
      ClusterTopics.create(
          cluster, TOPIC, Map.of(0, List.of(1), 1, List.of(2), 2, List.of(3)), Map.of());
      List<String> expected = new ArrayList<>();
      for (int broker : cluster.brokers()) {
        List<String> values = Records.values("by " + broker, RECORDS);
        Records.produce(cluster.bootstrap(broker), TOPIC, PARTITIONS, values);
        expected.addAll(values);
      }
      for (int broker : cluster.brokers()) {
        assertThat(consume(cluster, broker, expected.size()))
            .as("through broker " + broker)
            .containsExactlyInAnyOrderElementsOf(expected);
      }
      goOnAfterAKill(cluster, expected);
    }
  }

  /** A broker that is no controller comes back with what it had. */
  private static void goOnAfterAKill(TestCluster cluster, List<String> expected) throws Exception {
    cluster.node(2).kill();
    ClusterTopics.awaitLive(cluster, Set.of(1, 3));
    cluster.node(2).startAgain();
    ClusterTopics.awaitLeader(cluster, new TopicPartition(TOPIC, 1), Set.of(2));
    assertThat(consume(cluster, 2, expected.size()))
        .as("after a kill of broker 2")
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(cluster.node(3).stop()).as("exit code of an orderly stop").isZero();
  }

  private static List<String> consume(TestCluster cluster, int broker, int count) {
    return Records.consume(cluster.bootstrap(broker), TOPIC, PARTITIONS, count);
  }
}

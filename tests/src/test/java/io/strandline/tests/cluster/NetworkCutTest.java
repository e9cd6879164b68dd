package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.wires.Plane;
import io.strandline.tests.fault.Waiting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Three brokers that are controllers too, between which the network is cut where it hurts. What is
 * acknowledged to acks=all stays, whoever can reach whom; afterwards all replicas are the same.
 */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class NetworkCutTest {
  private static final short ALL = -1;
  private static final short LEADER = 1;
  private static final Set<Integer> NODES = Set.of(1, 2, 3);

  @TempDir static Path dir;
  private TestCluster cluster;

  @BeforeAll
  void start() throws Exception {
    cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1, 2, 3)
            .wired()
            .replicas(3, 2)
            .set("replica.lag.time.max.ms", "2000")
            // How long a request waits that a controller took and does not answer any more.
            .set("controller.socket.timeout.ms", "2000")
            .start();
  }

  @AfterAll
  void stop() throws Exception {
    cluster.close();
  }

  @AfterEach
  void heal() {
    cluster.wires().heal();
    ClusterTopics.awaitLive(cluster, NODES);
  }

  /** It hears nothing of its deposition, and may not acknowledge what its followers do not take. */
  @Test
  void aLeaderWithoutControllersAcknowledgesNothingThatIsNotKept() throws Exception {
    TopicPartition partition = topic("zombie", 2, 3, 1);
    List<String> kept = new ArrayList<>(Records.values("before", 20));
    Records.produce(cluster.bootstrap(), partition.topic(), 1, kept);
    others(2).forEach(other -> cluster.wires().holdBoth(2, other, Plane.CONTROLLER));
    try (OneBroker zombie = new OneBroker(cluster.bootstrap(2))) {
      int leader = awaitLeaderBeside(2, partition);
      assertThat(zombie.produce(partition, "lost", LEADER, 1_000))
          .as("it takes itself for the leader")
          .isEqualTo(Errors.NONE);
      assertThat(zombie.produce(partition, "refused", ALL, 1_500)).isNotEqualTo(Errors.NONE);
      try (OneBroker next = new OneBroker(cluster.bootstrap(leader))) {
        for (String value : Records.values("meanwhile", 20)) {
          assertThat(next.produce(partition, value, ALL, 30_000)).isEqualTo(Errors.NONE);
          kept.add(value);
          assertThat(next.read(partition).values()).as("a writer reads its own").endsWith(value);
        }
      }
      assertThat(zombie.read(partition).values()).isSubsetOf(kept).doesNotContain("lost");
    }
    cluster.wires().heal();
    assertKept(partition, kept);
  }

  @Test
  void aLeaderWithoutFollowersAcknowledgesNothingUntilTheyAreBack() throws Exception {
    TopicPartition partition = topic("lonely", 3, 1, 2);
    List<String> kept = new ArrayList<>(Records.values("before", 20));
    Records.produce(cluster.bootstrap(), partition.topic(), 1, kept);
    others(3).forEach(other -> cluster.wires().holdBoth(3, other, Plane.BROKERS));
    try (OneBroker leader = new OneBroker(cluster.bootstrap(3))) {
      assertThat(leader.produce(partition, "not told", ALL, 500))
          .isEqualTo(Errors.REQUEST_TIMED_OUT);
      ClusterTopics.awaitInSync(cluster, partition, Set.of(3));
      assertThat(leader.produce(partition, "refused", ALL, 10_000))
          .isEqualTo(Errors.NOT_ENOUGH_REPLICAS);
      assertThat(leader.read(partition).values()).isEqualTo(kept);
    }
    cluster.wires().heal();
    kept.add("not told");
    assertKept(partition, kept);
  }

  @Test
  void aFollowerThatIsCutOffHoldsUpNobodyAndComesBack() throws Exception {
    TopicPartition partition = topic("follower", 1, 2, 3);
    others(2).forEach(other -> cluster.wires().cut(2, other, Plane.BROKERS));
    List<String> kept = Records.values("without", 200);
    Records.produce(cluster.bootstrap(), partition.topic(), 1, kept);
    ClusterTopics.awaitInSync(cluster, partition, Set.of(1, 3));
    cluster.wires().heal();
    assertKept(partition, kept);
  }

  /** What it says is not heard, what it is told it hears. */
  @Test
  void aLeaderThatIsNotHeardIsReplaced() throws Exception {
    TopicPartition partition = topic("mute", 1, 2, 3);
    List<String> kept = new ArrayList<>(Records.values("before", 20));
    Records.produce(cluster.bootstrap(), partition.topic(), 1, kept);
    others(1).forEach(other -> cluster.wires().hold(1, other));
    try (OneBroker mute = new OneBroker(cluster.bootstrap(1))) {
      assertThat(mute.produce(partition, "perhaps", ALL, 500)).isNotEqualTo(Errors.NONE);
      int leader = awaitLeaderBeside(1, partition);
      try (OneBroker next = new OneBroker(cluster.bootstrap(leader))) {
        for (String value : Records.values("meanwhile", 20)) {
          assertThat(next.produce(partition, value, ALL, 30_000)).isEqualTo(Errors.NONE);
          kept.add(value);
        }
      }
      assertThat(mute.produce(partition, "refused", ALL, 1_000)).isNotEqualTo(Errors.NONE);
    }
    cluster.wires().heal();
    assertKept(partition, kept);
  }

  @Test
  void theClusterGoesOnWithoutItsActiveController() throws Exception {
    int active =
        cluster.admin().describeMetadataQuorum().quorumInfo().get(30, TimeUnit.SECONDS).leaderId();
    others(active).forEach(other -> cluster.wires().holdBoth(active, other, Plane.CONTROLLER));
    int other = others(active).get(0);
    Waiting.until(
        "a topic that another controller makes",
        () -> {
          try (OneBroker broker = new OneBroker(cluster.bootstrap(other))) {
            Errors error = broker.create("meanwhile", others(active));
            return error == Errors.NONE || error == Errors.TOPIC_ALREADY_EXISTS;
          }
        });
    cluster.wires().heal();
    TopicPartition partition = new TopicPartition("meanwhile", 0);
    ClusterTopics.awaitInSync(cluster, partition, Set.copyOf(others(active)));
    List<String> kept = Records.values("after", 20);
    Records.produce(cluster.bootstrap(active), partition.topic(), 1, kept);
    assertThat(Records.consume(cluster.bootstrap(active), partition.topic(), 1, 20))
        .isEqualTo(kept);
  }

  private TopicPartition topic(String name, Integer... brokers) throws Exception {
    TopicPartition partition = new TopicPartition(name, 0);
    ClusterTopics.create(cluster, name, Map.of(0, List.of(brokers)), Map.of());
    ClusterTopics.awaitInSync(cluster, partition, NODES);
    return partition;
  }

  private static List<Integer> others(int node) {
    return NODES.stream().filter(other -> other != node).sorted().toList();
  }

  /** As the two others know it, whatever the one still believes. */
  private int awaitLeaderBeside(int node, TopicPartition partition) throws Exception {
    try (OneBroker other = new OneBroker(cluster.bootstrap(others(node).get(0)))) {
      Waiting.until("another leader", () -> others(node).contains(other.leader(partition)));
      return other.leader(partition);
    }
  }

  /** All of it, once, in order, on every replica, byte for byte; besides, what nobody was told. */
  private void assertKept(TopicPartition partition, List<String> kept) {
    ClusterTopics.awaitInSync(cluster, partition, NODES);
    List<String> found =
        new ArrayList<>(Records.consume(cluster.bootstrap(), partition.topic(), 1, kept.size()));
    found.removeIf(value -> value.equals("perhaps") && !kept.contains(value));
    assertThat(found).isEqualTo(kept);
    Waiting.until(
        "equal logs",
        () -> {
          byte[] first = log(1, partition);
          return Arrays.equals(first, log(2, partition)) && Arrays.equals(first, log(3, partition));
        });
  }

  private byte[] log(int node, TopicPartition partition) throws Exception {
    List<Path> logs = KafkaPeer.logs(cluster.directory(node).resolve("data"), partition.toString());
    assertThat(logs).hasSize(1);
    return Files.readAllBytes(logs.get(0));
  }
}

package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.QuorumInfo;
import org.apache.kafka.clients.admin.RaftVoterEndpoint;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Controllers that are no brokers. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ControllersTest {
  private static final String AUTO_JOIN = "controller.quorum.auto.join.enable";
  private static final String COMMITTED = "strandline_quorum_committed_offset";

  @TempDir Path dir;

  @Test
  void threeControllersLoseOneAfterAnotherAndBrokersGoOn() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.CONTROLLER, 101, 102, 103)
            .with(NodeRole.BROKER, 1, 2)
            .set(101, AUTO_JOIN, "true")
            .set(102, AUTO_JOIN, "true")
            .set(103, AUTO_JOIN, "true")
            .replicas(1, 1)
            .start()) {
      assertThat(voters(cluster)).containsExactlyInAnyOrder(101, 102, 103);
      wellTold(cluster);
      int first = leader(cluster);
      cluster.node(first).kill();
      roundTrip(cluster, "one-killed");
      cluster.node(first).startAgain();
      int second = leader(cluster);
      assertThat(cluster.node(second).stop()).as("exit code of the active controller").isZero();
      roundTrip(cluster, "one-stopped");
      assertThat(leader(cluster)).isNotEqualTo(second);
      cluster.node(second).startAgain();
      Waiting.until(
          "the controller to be ready again",
          () -> cluster.node(second).admin("/readyz").status() == 200);
      votesAgainAfterItLostItsDisk(cluster, second);
    }
  }

  @Test
  void aControllerJoinsAndTakesThePlaceOfAnother() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.CONTROLLER, 101)
            .withObserver(102)
            .with(NodeRole.BROKER, 1, 2)
            .replicas(1, 1)
            .start()) {
      assertThat(voters(cluster)).containsExactly(101);
      String listener = cluster.controllerBootstrap().split(",")[1];
      int port = Integer.parseInt(listener.substring(listener.lastIndexOf(':') + 1));
      cluster
          .admin()
          .addRaftVoter(
              102,
              directoryId(cluster, 102),
              Set.of(new RaftVoterEndpoint("CONTROLLER", "127.0.0.1", port)))
          .all()
          .get(60, TimeUnit.SECONDS);
      assertThat(voters(cluster)).containsExactlyInAnyOrder(101, 102);
      cluster
          .admin()
          .removeRaftVoter(101, directoryId(cluster, 101))
          .all()
          .get(60, TimeUnit.SECONDS);
      Waiting.until("the new one to lead", () -> leader(cluster) == 102);
      assertThat(voters(cluster)).containsExactly(102);
      assertThat(cluster.node(101).stop()).isZero();
      roundTrip(cluster, "by-another");
    }
  }

  /** Whoever stops a node a second time does not want to wait. */
  @Test
  void aSecondSignalEndsTheWaitForAControllerThatIsAway() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.CONTROLLER, 101)
            .with(NodeRole.BROKER, 1)
            .replicas(1, 1)
            .start()) {
      BrokerProcess broker = cluster.node(1);
      cluster.node(101).kill();
      broker.terminate();
      Waiting.until("the wait", () -> broker.output().contains("hands its leadership over"));
      broker.terminate();
      assertThat(broker.stop()).as("exit code").isZero();
      assertThat(broker.output())
          .contains("asked again to stop")
          .doesNotContain("did not let this node go");
    }
  }

  @Test
  void whatABrokerSaysIsDoneToTopicsItKnowsItself() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.CONTROLLER, 101)
            .with(NodeRole.BROKER, 1)
            .replicas(1, 1)
            .start()) {
      Admin admin = cluster.admin(); // asks the one broker that there is, and it the controller
      for (int round = 0; round < 30; round++) {
        String topic = "round-" + round;
        admin.createTopics(List.of(new NewTopic(topic, 1, (short) 1))).all().get();
        assertThat(admin.listTopics().names().get()).contains(topic);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(2))).all().get();
        assertThat(
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions())
            .hasSize(2);
        admin.deleteTopics(List.of(topic)).all().get();
        assertThat(admin.listTopics().names().get()).doesNotContain(topic);
      }
    }
  }

  /** KIP-853, with {@code controller.quorum.auto.join.enable} (KIP-1186). */
  private static void votesAgainAfterItLostItsDisk(TestCluster cluster, int controller)
      throws Exception {
    Uuid lost = directoryId(cluster, controller);
    cluster.node(controller).kill();
    cluster.wipe(controller);
    Uuid empty = directoryId(cluster, controller);
    assertThat(empty).isNotEqualTo(lost);
    cluster.node(controller).startAgain();
    Waiting.until(
        "the controller to vote in the place of its former self",
        () ->
            quorum(cluster).voters().stream()
                .filter(voter -> voter.replicaId() == controller)
                .map(QuorumInfo.ReplicaState::replicaDirectoryId)
                .toList()
                .equals(List.of(empty)));
    assertThat(voters(cluster)).containsExactlyInAnyOrder(101, 102, 103);
  }

  private static Uuid directoryId(TestCluster cluster, int node) throws IOException {
    Properties meta = new Properties();
    try (Reader reader =
        Files.newBufferedReader(
            cluster.directory(node).resolve("data").resolve("meta.properties"))) {
      meta.load(reader);
    }
    return Uuid.fromString(meta.getProperty("directory.id"));
  }

  /** Each controller tells who leads, and nothing of records. */
  private static void wellTold(TestCluster cluster) throws Exception {
    int leader = (int) cluster.node(101).metric("strandline_quorum_leader");
    assertThat(cluster.controllers()).contains(leader);
    for (int id : cluster.controllers()) {
      BrokerProcess node = cluster.node(id);
      assertThat(node.admin("/readyz").status()).as(node.admin("/readyz").body()).isEqualTo(200);
      assertThat(node.admin("/healthz").status()).isEqualTo(200);
      assertThat(node.metric("strandline_quorum_leader")).isEqualTo(leader);
      assertThat(node.metric("strandline_quorum_leads")).isEqualTo(id == leader ? 1 : 0);
      assertThat(node.admin("/metrics").body()).contains("jvm_").doesNotContain("strandline_log_");
    }
    // That it grows with nothing done is what tells brokers, and the alert, that somebody leads.
    double before = cluster.node(1).metric(COMMITTED);
    Waiting.until("the metadata to grow", () -> cluster.node(1).metric(COMMITTED) > before);
  }

  /** A topic is made, written and read back. */
  private static void roundTrip(TestCluster cluster, String topic) throws Exception {
    ClusterTopics.create(cluster, topic, Map.of(0, List.of(1), 1, List.of(2)), Map.of());
    List<String> values = Records.values(topic, 50);
    Records.produce(cluster.bootstrap(), topic, 2, values);
    assertThat(Records.consume(cluster.bootstrap(2), topic, 2, values.size()))
        .containsExactlyInAnyOrderElementsOf(values);
  }

  private static int leader(TestCluster cluster) throws Exception {
    return quorum(cluster).leaderId();
  }

  private static Set<Integer> voters(TestCluster cluster) throws Exception {
    return quorum(cluster).voters().stream()
        .map(QuorumInfo.ReplicaState::replicaId)
        .collect(Collectors.toSet());
  }

  private static QuorumInfo quorum(TestCluster cluster) throws Exception {
    return cluster.admin().describeMetadataQuorum().quorumInfo().get(60, TimeUnit.SECONDS);
  }
}

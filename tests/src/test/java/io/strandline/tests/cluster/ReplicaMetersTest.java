package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.cluster.wires.Plane;
import io.strandline.tests.fault.Waiting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What Kafka's names tell a monitor of replicas when brokers and disks go and come back. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ReplicaMetersTest {
  private static final String TOPIC = "watched";
  private static final int PARTITIONS = 6;
  private static final String REPLICAS = "kafka.server:type=ReplicaManager,name=";
  private static final String UNDER_REPLICATED = REPLICAS + "UnderReplicatedPartitions";
  private static final String SHRINKS = REPLICAS + "IsrShrinksPerSec";
  private static final String EXPANDS = REPLICAS + "IsrExpandsPerSec";
  private static final String FAILED =
      "kafka.server:type=ReplicaFetcherManager,name=FailedPartitionsCount,clientId=Replica";
  private static final String DIRECTORIES =
      "kafka.log:type=LogManager,name=OfflineLogDirectoryCount";

  @TempDir Path dir;

  @Test
  void aMonitorSeesBrokersAndDisksGoAndComeBack() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .wired()
            .replicas(3, 2)
            .set("replica.lag.time.max.ms", "2000")
            .set(3, "log.dirs", first() + "," + second())
            .start()) {
      Map<Integer, List<Integer>> places = new HashMap<>();
      for (int i = 0; i < PARTITIONS; i++) {
        places.put(i, List.of(2, 1, 3));
      }
      ClusterTopics.create(cluster, TOPIC, places, Map.of());
      Records.produce(cluster.bootstrap(), TOPIC, PARTITIONS, Records.values("before", 60));
      awaitInSync(cluster);
      try (Beans leader = Beans.of(cluster.node(2))) {
        assertThat(leader.value(UNDER_REPLICATED)).isZero();
        assertThat(leader.value(of("UnderReplicated", 0))).isZero();
        assertThat(leader.value(REPLICAS + "LeaderCount")).isEqualTo(PARTITIONS);
        aFollowerFallsBehindAndCatchesUp(cluster, leader);
        aBrokerGoesAndComesBack(cluster, leader);
        aDirectoryFails(cluster, leader);
      }
      cluster.node(3).stop();
      assertThat(cluster.node(3).output()).doesNotContain("a listener of the metadata failed");
    }
  }

  /** The controller hears of it still, so it is the leader that puts it out. */
  private void aFollowerFallsBehindAndCatchesUp(TestCluster cluster, Beans leader)
      throws Exception {
    long expands = leader.count(EXPANDS);
    assertThat(leader.count(SHRINKS)).isZero();
    cluster.wires().holdBoth(2, 3, Plane.BROKERS);
    Records.produce(cluster.bootstrap(), TOPIC, PARTITIONS, Records.values("missed", 60));
    Waiting.until("put out", () -> leader.count(SHRINKS) >= PARTITIONS);
    assertThat(cluster.node(2).metric("strandline_partition_isr_shrinks_total"))
        .isGreaterThanOrEqualTo(PARTITIONS);
    assertThat(leader.value(UNDER_REPLICATED)).isEqualTo(PARTITIONS);
    cluster.wires().heal();
    awaitInSync(cluster);
    Waiting.until("let in", () -> leader.count(EXPANDS) >= expands + PARTITIONS);
    assertThat(cluster.node(2).metric("strandline_partition_isr_expands_total"))
        .isGreaterThanOrEqualTo(PARTITIONS);
    Waiting.until("none left", () -> leader.value(UNDER_REPLICATED) == 0);
  }

  private void aBrokerGoesAndComesBack(TestCluster cluster, Beans leader) throws Exception {
    ClusterTopics.create(cluster, "alone", Map.of(0, List.of(3)), Map.of());
    Waiting.until(
        "all are well",
        () ->
            cluster.node(1).metric("strandline_controller_brokers_active") == 3
                && cluster.node(1).metric("strandline_controller_brokers_fenced") == 0
                && cluster.node(1).metric("strandline_controller_partitions_offline") == 0);
    cluster.node(3).kill();
    Waiting.until(
        "the controller counts it",
        () ->
            cluster.node(1).metric("strandline_controller_brokers_fenced") == 1
                && cluster.node(1).metric("strandline_controller_partitions_offline") == 1);
    Waiting.until("under-replicated", () -> leader.value(UNDER_REPLICATED) == PARTITIONS);
    assertThat(leader.value(of("UnderReplicated", 0))).isEqualTo(1);
    assertThat(leader.value(of("InSyncReplicasCount", 0))).isEqualTo(2);
    assertThat(leader.value(of("AtMinIsr", 0))).isEqualTo(1);
    assertThat(leader.value(REPLICAS + "AtMinIsrPartitionCount")).isEqualTo(PARTITIONS);
    assertThat(leader.value(REPLICAS + "UnderMinIsrPartitionCount")).isZero();

    cluster.node(3).startAgain();
    awaitInSync(cluster);
    Waiting.until("none left", () -> leader.value(UNDER_REPLICATED) == 0);
    assertThat(leader.value(of("InSyncReplicasCount", 0))).isEqualTo(3);
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", cluster.bootstrap()))) {
      admin.deleteTopics(List.of("alone")).all().get();
    }
    Waiting.until(
        "it is deleted", () -> cluster.node(3).metric("strandline_partition_hosted") == PARTITIONS);
  }

  private void aDirectoryFails(TestCluster cluster, Beans leader) throws Exception {
    try (Beans follower = Beans.of(cluster.node(3))) {
      assertThat(follower.value(DIRECTORIES)).isZero();
      assertThat(follower.value(FAILED)).isZero();
      assertThat(follower.value(REPLICAS + "PartitionCount")).isEqualTo(PARTITIONS);
      long there;
      try (var found = Files.list(second())) {
        there = found.filter(path -> path.getFileName().toString().startsWith(TOPIC)).count();
      }
      assertThat(there).isPositive().isLessThan(PARTITIONS);
      Files.move(second(), second().resolveSibling("away"));
      Records.produce(cluster.bootstrap(), TOPIC, PARTITIONS, Records.values("after", 60));
      Waiting.until("a directory is gone", () -> follower.value(DIRECTORIES) == 1);
      assertThat(cluster.node(3).metric("strandline_log_directories_offline")).isEqualTo(1);
      Waiting.until(
          "its replicas", () -> follower.value(REPLICAS + "OfflineReplicaCount") == there);
      Waiting.until("the leader knows", () -> leader.value(UNDER_REPLICATED) == there);
      assertThat(follower.value(FAILED)).isEqualTo(there);
    }
  }

  private Path first() {
    return dir.resolve("node-3").resolve("data");
  }

  private Path second() {
    return dir.resolve("node-3").resolve("second");
  }

  private static String of(String name, int partition) {
    return "kafka.cluster:type=Partition,name=%s,topic=%s,partition=%d"
        .formatted(name, TOPIC, partition);
  }

  private static void awaitInSync(TestCluster cluster) {
    for (int i = 0; i < PARTITIONS; i++) {
      ClusterTopics.awaitInSync(cluster, new TopicPartition(TOPIC, i), Set.of(1, 2, 3));
    }
  }
}

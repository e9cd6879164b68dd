package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.fault.Waiting;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.ReplicaInfo;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionReplica;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.LogDirNotFoundException;
import org.apache.kafka.common.errors.ReplicaNotAvailableException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Brokers with several log directories: replicas move between them, and some of them fail. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class LogDirsTest {
  private static final String KEPT = "kept";
  private static final String RATE = "replica.alter.log.dirs.io.max.bytes.per.second";
  private static final String TIERED = "tiered";
  private static final int SEGMENT = 1 << 20;
  private static final Map<String, String> LOCAL =
      Map.of("remote.storage.enable", "false", "segment.bytes", Integer.toString(SEGMENT));
  private static final Map<String, String> HOT = ClusterTopics.tiered(SEGMENT, 2 * SEGMENT);
  private static final Map<Integer, List<Integer>> BOTH =
      Map.of(0, List.of(1, 2), 1, List.of(2, 1));

  @TempDir Path dir;

  @Test
  void replicasMoveUnderLoadThroughAKillAndAreWhereTheControllerHasThem() throws Exception {
    try (TestCluster cluster = start()) {
      ClusterTopics.create(cluster, KEPT, BOTH, LOCAL);
      ClusterTopics.create(cluster, TIERED, BOTH, HOT);
      List<String> large = Records.values("x".repeat(9_000), 1_600);
      Records.produce(cluster.bootstrap(), KEPT, 2, large);
      Records.produce(cluster.bootstrap(), TIERED, 2, large);
      try (SteadyProducer kept = new SteadyProducer(cluster.bootstrap(), KEPT, 2);
          SteadyProducer tiered = new SteadyProducer(cluster.bootstrap(), TIERED, 2)) {
        kept.awaitMore(100);
        limit(cluster, 2, "2000000");
        Map<TopicPartition, Path> wanted = moveAll(cluster, 2);
        TopicPartition slow = new TopicPartition(KEPT, 1);
        Waiting.until(
            "a copy on its way",
            () -> future(cluster, 2, slow).filter(info -> info.offsetLag() > 0).isPresent());
        assertThat(futureDirectories(wanted.get(slow))).isNotEmpty();

        cluster.node(2).kill();
        ClusterTopics.awaitLeader(cluster, slow, Set.of(1));
        cluster.node(2).startAgain();
        Waiting.until("goes on by itself", () -> future(cluster, 2, slow).isPresent());
        limit(cluster, 2, Long.toString(Long.MAX_VALUE));
        awaitThere(cluster, 2, wanted);
        awaitThere(cluster, 1, moveAll(cluster, 1));
        kept.awaitMore(100);
        tiered.awaitMore(100);
        kept.stop();
        tiered.stop();
        awaitAllInSync(cluster);
        assertAllThere(cluster, KEPT, large, kept);
        assertAllThere(cluster, TIERED, large, tiered);
      }
      for (int partition : BOTH.keySet()) {
        TopicPartition tp = new TopicPartition(KEPT, partition);
        Waiting.until("equal logs of " + tp, () -> Arrays.equals(bytes(1, tp), bytes(2, tp)));
        assertThat(directory(1, tp)).isNotNull();
      }
      for (int broker : cluster.brokers()) {
        for (String topic : List.of(KEPT, TIERED)) {
          for (int partition : BOTH.keySet()) {
            TopicPartition tp = new TopicPartition(topic, partition);
            assertThat(AssignedDirectories.of(cluster, 1).get(tp, broker))
                .as("%s on %d", tp, broker)
                .isEqualTo(AssignedDirectories.id(directory(broker, tp)));
          }
        }
      }
    }
  }

  /** Requests that cannot be, and one for a replica that is yet to come. */
  @Test
  void aFailedDirectoryCostsItsReplicasAloneAndComesBackEmpty() throws Exception {
    try (TestCluster cluster = start()) {
      TopicPartition one = new TopicPartition(KEPT, 0);
      TopicPartition other = new TopicPartition(KEPT, 1);
      Path second = dirs(2).get(1);
      refusals(cluster);
      ClusterTopics.create(cluster, KEPT, Map.of(0, List.of(2, 1), 1, List.of(2, 1)), LOCAL);
      assertThat(new TreeSet<>(List.of(directory(2, one), directory(2, other))))
          .as("spread over both")
          .containsExactlyInAnyOrderElementsOf(dirs(2));
      TopicPartition lost = directory(2, one).equals(second) ? one : other;
      TopicPartition stays = lost.equals(one) ? other : one;
      try (SteadyProducer producer = new SteadyProducer(cluster.bootstrap(), KEPT, 2)) {
        producer.awaitMore(200);
        Path away = second.resolveSibling("away");
        Files.move(second, away); // the disk is gone
        ClusterTopics.awaitLeader(cluster, lost, Set.of(1));
        ClusterTopics.awaitInSync(cluster, lost, Set.of(1));
        assertThat(ClusterTopics.leader(cluster, stays)).isEqualTo(2);
        assertThat(ClusterTopics.inSync(cluster, stays)).containsExactlyInAnyOrder(1, 2);
        assertThat(described(cluster, 2).get(second.toString()).error())
            .isInstanceOf(KafkaStorageException.class);
        assertThatThrownBy(() -> move(cluster, 2, lost, dirs(2).get(0)))
            .hasCauseInstanceOf(KafkaStorageException.class);
        assertThatThrownBy(() -> move(cluster, 2, stays, second))
            .hasCauseInstanceOf(KafkaStorageException.class);
        producer.awaitMore(100);

        cluster.node(2).stop();
        Files.writeString(second, "no directory");
        cluster.node(2).startAgain();
        ClusterTopics.awaitInSync(cluster, stays, Set.of(1, 2));
        producer.awaitMore(50);
        assertThat(ClusterTopics.inSync(cluster, lost)).as("not begun anew").containsExactly(1);
        assertThat(ClusterTopics.leader(cluster, lost)).isEqualTo(1);

        cluster.node(2).stop();
        Files.delete(second);
        cluster.node(2).startAgain();
        ClusterTopics.awaitInSync(cluster, lost, Set.of(1, 2));
        producer.awaitMore(50);
        producer.stop();
        List<String> all =
            Records.consume(cluster.bootstrap(), KEPT, 2, producer.acknowledged().size());
        assertThat(all).containsAll(producer.acknowledged());
      }
      Waiting.until("equal logs", () -> Arrays.equals(bytes(1, lost), bytes(2, lost)));
    }
  }

  /** Whoever is in sync is elected when the leader is away, with a disk or without. */
  @Test
  void aFollowerWhoseDirectoryFailedStaysOutOfTheIsrOfAQuietPartition() throws Exception {
    try (TestCluster cluster = start()) {
      TopicPartition one = new TopicPartition(KEPT, 0);
      TopicPartition other = new TopicPartition(KEPT, 1);
      Path second = dirs(2).get(1);
      ClusterTopics.create(cluster, KEPT, Map.of(0, List.of(1, 2), 1, List.of(1, 2)), LOCAL);
      Records.produce(cluster.bootstrap(), KEPT, 2, Records.values("before", 20));
      TopicPartition lost = directory(2, one).equals(second) ? one : other;
      TopicPartition stays = lost.equals(one) ? other : one;
      ClusterTopics.awaitInSync(cluster, lost, Set.of(1, 2));
      Files.move(second, second.resolveSibling("away")); // the disk is gone
      ClusterTopics.awaitInSync(cluster, lost, Set.of(1));
      ClusterTopics.create(cluster, "later", Map.of(0, List.of(1)), LOCAL);
      assertThat(ClusterTopics.inSync(cluster, lost)).containsExactly(1);
      cluster.node(1).kill();
      cluster.node(1).startAgain();
      ClusterTopics.awaitInSync(cluster, stays, Set.of(1, 2));
      Records.produce(cluster.bootstrap(), KEPT, 2, Records.values("after", 20));
      assertThat(Records.consume(cluster.bootstrap(), KEPT, 2, 40)).hasSize(40);
      assertThat(ClusterTopics.inSync(cluster, lost)).containsExactly(1);
    }
  }

  /** The controller makes nobody a leader of what lies there. */
  @Test
  void aDirectoryThatCannotBeLockedIsOfflineFromTheStart() throws Exception {
    try (TestCluster cluster = start()) {
      TopicPartition one = new TopicPartition(KEPT, 0);
      TopicPartition other = new TopicPartition(KEPT, 1);
      Path second = dirs(2).get(1);
      ClusterTopics.create(cluster, KEPT, Map.of(0, List.of(2), 1, List.of(2)), LOCAL);
      Records.produce(cluster.bootstrap(), KEPT, 2, Records.values("before", 20));
      TopicPartition lost = directory(2, one).equals(second) ? one : other;
      TopicPartition stays = lost.equals(one) ? other : one;
      assertThat(directory(2, stays)).isNotEqualTo(second);

      cluster.node(2).stop();
      Files.delete(second.resolve(".lock"));
      Files.createDirectory(second.resolve(".lock"));
      cluster.node(2).startAgain();
      ClusterTopics.awaitLeader(cluster, stays, Set.of(2));
      assertThat(ClusterTopics.leader(cluster, lost)).isEqualTo(-1);
      assertThat(described(cluster, 2).get(second.toString()).error())
          .isInstanceOf(KafkaStorageException.class);

      cluster.node(2).stop();
      Files.delete(second.resolve(".lock"));
      cluster.node(2).startAgain();
      ClusterTopics.awaitLeader(cluster, lost, Set.of(2));
      assertThat(Records.consume(cluster.bootstrap(), KEPT, 2, 20)).hasSize(20);
    }
  }

  private void refusals(TestCluster cluster) throws Exception {
    TopicPartition later = new TopicPartition("later", 0);
    ClusterTopics.create(cluster, "later", Map.of(0, List.of(1)), LOCAL);
    assertThatThrownBy(() -> move(cluster, 1, later, dir.resolve("nowhere")))
        .hasCauseInstanceOf(LogDirNotFoundException.class);
    for (Path wanted : List.of(dirs(2).get(1), dirs(2).get(0))) {
      assertThatThrownBy(() -> move(cluster, 2, later, wanted))
          .hasCauseInstanceOf(ReplicaNotAvailableException.class);
      ClusterTopics.reassign(cluster.admin(), later, List.of(1, 2));
      ClusterTopics.awaitInSync(cluster, later, Set.of(1, 2));
      assertThat(directory(2, later)).isEqualTo(wanted);
      ClusterTopics.reassign(cluster.admin(), later, List.of(1));
      Waiting.until("gone from 2", () -> replicas(2, later).isEmpty());
    }
    cluster.admin().deleteTopics(List.of("later")).all().get(30, TimeUnit.SECONDS);
    Waiting.until("gone", () -> replicas(2, later).isEmpty() && replicas(1, later).isEmpty());
  }

  private TestCluster start() throws IOException {
    return new Blueprint(dir)
        .with(NodeRole.COMBINED, 1)
        .with(NodeRole.BROKER, 2)
        .set(1, "log.dirs", dirs(1).get(0) + "," + dirs(1).get(1))
        .set(2, "log.dirs", dirs(2).get(0) + "," + dirs(2).get(1))
        .set("replica.high.watermark.checkpoint.interval.ms", "500")
        .replicas(2, 1)
        .start();
  }

  private List<Path> dirs(int broker) {
    Path node = dir.resolve("node-" + broker);
    return List.of(node.resolve("data"), node.resolve("second"));
  }

  // ---- moves

  /** Each replica of the broker to the directory where it does not lie. */
  private Map<TopicPartition, Path> moveAll(TestCluster cluster, int broker) throws Exception {
    Map<TopicPartition, Path> wanted = new HashMap<>();
    for (String topic : List.of(KEPT, TIERED)) {
      for (int partition : BOTH.keySet()) {
        TopicPartition tp = new TopicPartition(topic, partition);
        Path to = dirs(broker).get(1 - dirs(broker).indexOf(directory(broker, tp)));
        wanted.put(tp, to);
        move(cluster, broker, tp, to);
      }
    }
    return wanted;
  }

  private static void move(TestCluster cluster, int broker, TopicPartition tp, Path to)
      throws Exception {
    cluster
        .admin()
        .alterReplicaLogDirs(
            Map.of(new TopicPartitionReplica(tp.topic(), tp.partition(), broker), to.toString()))
        .all()
        .get(30, TimeUnit.SECONDS);
  }

  private void awaitThere(TestCluster cluster, int broker, Map<TopicPartition, Path> wanted) {
    wanted.forEach(
        (tp, path) ->
            Waiting.until(
                tp + " of " + broker + " in " + path,
                () ->
                    replicas(broker, tp).equals(List.of(path))
                        && future(cluster, broker, tp).isEmpty()));
    for (Path path : dirs(broker)) {
      Waiting.until("nothing left in " + path, () -> futureDirectories(path).isEmpty());
    }
  }

  private static void limit(TestCluster cluster, int broker, String bytes) throws Exception {
    ConfigResource resource =
        new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(broker));
    cluster
        .admin()
        .incrementalAlterConfigs(
            Map.of(
                resource,
                List.of(new AlterConfigOp(new ConfigEntry(RATE, bytes), AlterConfigOp.OpType.SET))))
        .all()
        .get(30, TimeUnit.SECONDS);
    Waiting.until(
        "heard of by the broker",
        () ->
            cluster
                .admin()
                .describeConfigs(List.of(resource))
                .values()
                .get(resource)
                .get(30, TimeUnit.SECONDS)
                .get(RATE)
                .value()
                .equals(bytes));
  }

  // ---- what lies where

  private static Map<String, LogDirDescription> described(TestCluster cluster, int broker)
      throws Exception {
    return cluster
        .admin()
        .describeLogDirs(List.of(broker))
        .descriptions()
        .get(broker)
        .get(30, TimeUnit.SECONDS);
  }

  private static java.util.Optional<ReplicaInfo> future(
      TestCluster cluster, int broker, TopicPartition tp) throws Exception {
    return described(cluster, broker).values().stream()
        .flatMap(directory -> directory.replicaInfos().entrySet().stream())
        .filter(replica -> replica.getKey().equals(tp) && replica.getValue().isFuture())
        .map(Map.Entry::getValue)
        .findFirst();
  }

  private List<Path> replicas(int broker, TopicPartition tp) {
    return dirs(broker).stream()
        .filter(path -> Files.exists(path.resolve(tp.toString()).resolve("partition.metadata")))
        .toList();
  }

  private Path directory(int broker, TopicPartition tp) {
    Waiting.until(tp + " at " + broker, () -> replicas(broker, tp).size() == 1);
    return replicas(broker, tp).get(0);
  }

  private static List<Path> futureDirectories(Path directory) throws IOException {
    try (var all = Files.list(directory)) {
      return all.filter(path -> path.toString().endsWith("-future")).toList();
    }
  }

  /** All of its batches, however they are cut into segments. */
  private byte[] bytes(int broker, TopicPartition tp) throws IOException {
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    for (Path log : KafkaPeer.logs(directory(broker, tp), tp.toString())) {
      all.write(Files.readAllBytes(log));
    }
    return all.toByteArray();
  }

  private static void awaitAllInSync(TestCluster cluster) {
    for (String topic : List.of(KEPT, TIERED)) {
      for (int partition : BOTH.keySet()) {
        ClusterTopics.awaitInSync(cluster, new TopicPartition(topic, partition), Set.of(1, 2));
      }
    }
  }

  private static void assertAllThere(
      TestCluster cluster, String topic, List<String> before, SteadyProducer producer) {
    List<String> sent = new ArrayList<>(before);
    sent.addAll(producer.acknowledged());
    List<String> found = Records.consume(cluster.bootstrap(), topic, 2, sent.size());
    assertThat(found).as(topic).hasSameSizeAs(sent);
    assertThat(new TreeSet<>(found)).as(topic).isEqualTo(new TreeSet<>(sent));
  }
}

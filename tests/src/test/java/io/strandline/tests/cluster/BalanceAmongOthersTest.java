package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.ToolProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What others do to a cluster while the steps of a plan wait their turn. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class BalanceAmongOthersTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final String RATE = "leader.replication.throttled.rate";
  private static final TopicPartition LARGE = new TopicPartition("large", 0);
  private static final TopicPartition RAISED = new TopicPartition("raised", 0);
  private static final TopicPartition THEIRS = new TopicPartition("theirs", 0);
  private static final TopicPartition HELD_UP = new TopicPartition("held-up", 0);
  private static final TopicPartition DELETED = new TopicPartition("deleted", 0);
  private static final List<TopicPartition> ALL = List.of(LARGE, RAISED, THEIRS, HELD_UP, DELETED);

  @TempDir Path dir;

  @Test
  void whatOthersDidMeanwhileStaysAndTheDrainedBrokerEndsWithNothing() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3, 4)
            .replicas(2, 1)
            .start()) {
      for (TopicPartition partition : ALL) {
        // The first to be moved is held up by its leader until all is set.
        Map<String, String> configs =
            partition.equals(LARGE)
                ? Map.of("leader.replication.throttled.replicas", "*")
                : Map.of();
        ClusterTopics.create(cluster, partition.topic(), Map.of(0, List.of(2, 3)), configs);
        int records = partition.equals(LARGE) ? 600 : 1;
        Records.produce(
            cluster.bootstrap(), partition.topic(), 1, Records.values("x".repeat(10_000), records));
      }
      int receiver = receiverOf(HELD_UP, cluster);
      int other = receiver == 1 ? 4 : 1;

      rate(cluster, new AlterConfigOp(new ConfigEntry(RATE, "1000"), OpType.SET));
      Process drain = ToolProcess.start(dir, drain(cluster, "--execute"));
      Waiting.until("the first to be under way", () -> moving(cluster).equals(Set.of(LARGE)));
      ClusterTopics.reassign(cluster.admin(), RAISED, List.of(3, 2, receiver));
      ClusterTopics.reassign(cluster.admin(), THEIRS, List.of(3, other));
      cordon(cluster, receiver);
      cluster.admin().deleteTopics(List.of(DELETED.topic())).all().get(30, TimeUnit.SECONDS);
      assertThat(moving(cluster)).as("under way all the time").contains(LARGE);
      rate(cluster, new AlterConfigOp(new ConfigEntry(RATE, ""), OpType.DELETE));

      int exitCode = drain.waitFor();
      SoftAssertions softly = new SoftAssertions();
      softly.assertThat(on(cluster, RAISED)).as("raised").containsOnly(3, receiver, other);
      softly.assertThat(on(cluster, THEIRS)).as("theirs").containsOnly(3, other);
      softly.assertThat(on(cluster, HELD_UP)).as("held up").containsOnly(3, other);
      softly.assertThat(on(cluster, LARGE)).as("large").hasSize(2).doesNotContain(2);
      softly.assertThat(exitCode).as("the drain's exit code").isZero();
      softly.assertAll();
    }
  }

  /** Which broker the plan gives it to; what carries it out later plans the same. */
  private int receiverOf(TopicPartition partition, TestCluster cluster) throws Exception {
    ToolProcess.Ended preview = ToolProcess.run(dir, Map.of(), drain(cluster, "--json"));
    assertThat(preview.exitCode()).as("%s", preview.err()).isZero();
    for (String line : preview.out()) {
      JsonNode row = JSON.readTree(line);
      if (row.path("topic").asText().equals(partition.topic())
          && Stream.of("1", "4").anyMatch(row.path("to").asText()::contains)) {
        return row.path("to").asText().contains("1") ? 1 : 4;
      }
    }
    throw new AssertionError("it is not moved: " + preview.out());
  }

  private static String[] drain(TestCluster cluster, String... more) {
    List<String> arguments =
        new ArrayList<>(
            List.of("balance", "-b", cluster.bootstrap(1), "--sample", "1", "--at-once", "1"));
    arguments.addAll(List.of("--drain", "2"));
    arguments.addAll(List.of(more));
    return arguments.toArray(String[]::new);
  }

  private static Set<TopicPartition> moving(TestCluster cluster) throws Exception {
    return cluster
        .admin()
        .listPartitionReassignments()
        .reassignments()
        .get(30, TimeUnit.SECONDS)
        .keySet();
  }

  private static Set<Integer> on(TestCluster cluster, TopicPartition partition) throws Exception {
    return ClusterTopics.describe(cluster, partition).replicas().stream()
        .map(Node::id)
        .collect(Collectors.toSet());
  }

  private static void cordon(TestCluster cluster, int broker) throws Exception {
    alter(
        cluster, broker, new AlterConfigOp(new ConfigEntry("cordoned.log.dirs", "*"), OpType.SET));
    Waiting.until(
        "broker " + broker + " to be cordoned",
        () ->
            cluster
                .admin()
                .describeLogDirs(List.of(broker))
                .allDescriptions()
                .get(30, TimeUnit.SECONDS)
                .get(broker)
                .values()
                .stream()
                .allMatch(directory -> directory.isCordoned()));
  }

  private static void rate(TestCluster cluster, AlterConfigOp op) throws Exception {
    for (int broker : List.of(2, 3)) {
      alter(cluster, broker, op);
    }
  }

  private static void alter(TestCluster cluster, int broker, AlterConfigOp op) throws Exception {
    ConfigResource resource =
        new ConfigResource(ConfigResource.Type.BROKER, Integer.toString(broker));
    Collection<AlterConfigOp> change = List.of(op);
    cluster
        .admin()
        .incrementalAlterConfigs(Map.of(resource, change))
        .all()
        .get(30, TimeUnit.SECONDS);
  }
}

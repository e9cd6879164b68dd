package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.ToolProcess;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A leader that is elected though it misses records which are in the tier. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class TieredUncleanElectionTest {
  private static final TopicPartition PARTITION = new TopicPartition("deep", 0);
  private static final String PAD = "x".repeat(10_000);
  private static final int OF_A_SEGMENT = 105;

  @TempDir Path dir;
  private final List<String> sent = new ArrayList<>();

  /** What the tier has was committed: the new leader goes on where it ends. */
  @Test
  void itLosesNothingThatIsInTheTierAndTheTierNothingAtAll() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .start()) {
      ClusterTopics.create(
          cluster,
          PARTITION.topic(),
          Map.of(0, List.of(2, 3)),
          Map.of("segment.bytes", "1048576", "local.retention.bytes", "2097152"));
      write(cluster, 3 * OF_A_SEGMENT);
      cluster.node(3).kill();
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2));
      int both = sent.size();
      write(cluster, 4 * OF_A_SEGMENT);
      Waiting.until(
          "more in the tier than 3 has", () -> tieredEnd(cluster) > both + 2 * OF_A_SEGMENT);
      cluster.node(2).kill();
      Waiting.until("no leader", () -> ClusterTopics.leader(cluster, PARTITION) == -1);

      cluster.node(3).startAgain();
      ClusterTopics.awaitLive(cluster, Set.of(1, 3));
      cluster.admin().electLeaders(ElectionType.UNCLEAN, Set.of(PARTITION)).all().get();
      ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
      Waiting.until("it to serve", () -> end(cluster) > 0);
      int tiered = (int) end(cluster);
      assertThat(tiered).as("its end").isGreaterThan(both + 2 * OF_A_SEGMENT);
      sent.subList(tiered, sent.size()).clear();
      write(cluster, 5 * OF_A_SEGMENT);
      Waiting.until("that too", () -> tieredEnd(cluster) > tiered + 2 * OF_A_SEGMENT);
      everythingIsThere(cluster);

      cluster.node(2).startAgain();
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
      cluster.node(3).kill();
      ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(2));
      write(cluster, OF_A_SEGMENT);
      everythingIsThere(cluster);
    }
    ToolProcess.Ended verified =
        ToolProcess.run(
            dir, Map.of(), "tier", "verify", "--store", "file:" + dir.resolve("objects"));
    assertThat(verified.exitCode()).as("%s%n%s", verified.out(), verified.err()).isZero();
  }

  private void everythingIsThere(TestCluster cluster) {
    List<String> found = Records.consume(cluster.bootstrap(), PARTITION.topic(), 1, sent.size());
    assertThat(found.stream().map(v -> v.substring(PAD.length())).toList())
        .isEqualTo(sent.stream().map(v -> v.substring(PAD.length())).toList());
  }

  private void write(TestCluster cluster, int count) throws Exception {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      values.add(PAD + " " + (sent.size() + i) + " of " + sent.size() + "/" + count);
    }
    Records.produce(cluster.bootstrap(), PARTITION.topic(), 1, values);
    sent.addAll(values);
  }

  private static long tieredEnd(TestCluster cluster) throws Exception {
    return offset(cluster, OffsetSpec.latestTiered()) + 1;
  }

  private static long end(TestCluster cluster) throws Exception {
    return offset(cluster, OffsetSpec.latest());
  }

  private static long offset(TestCluster cluster, OffsetSpec which) throws Exception {
    return cluster
        .admin()
        .listOffsets(Map.of(PARTITION, which))
        .partitionResult(PARTITION)
        .get(30, TimeUnit.SECONDS)
        .offset();
  }
}

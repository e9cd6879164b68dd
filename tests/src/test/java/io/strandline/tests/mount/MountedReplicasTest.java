package io.strandline.tests.mount;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.ToolProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.PolicyViolationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/** Topics of another cluster with more than one replica here. On demand: half a minute. */
@EnabledIfSystemProperty(named = "mounted.replicas", matches = "true")
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class MountedReplicasTest {
  private static final TopicPartition THEIRS = new TopicPartition("trips", 0);
  private static final TopicPartition SHOWN = new TopicPartition("live", 0);

  @TempDir Path dir;

  @Test
  void aMountIsOneWhicheverReplicaLeadsAndARestoredTopicGoesOnFromAny() throws Exception {
    String store = "file:" + dir.resolve("theirs");
    try (BrokerProcess there =
            BrokerProcess.start(dir.resolve("there"), TwoClusters.settings(store, ""));
        TestCluster here =
            new Blueprint(dir.resolve("here"))
                .with(NodeRole.COMBINED, 1)
                .with(NodeRole.BROKER, 2)
                .replicas(2, 1)
                .set("strandline.mount.stores", store)
                .set("strandline.mount.refresh.ms", "200")
                .start()) {
      TwoClusters.create(there, "trips", 1);
      long first = tiered(there, 0, 1_500);
      tier(here, "mount", "--from", store, "--topic", "trips", "--as", "live");
      tier(here, "restore", "topic", "--from", store, "--topic", "trips", "-c", "retention.ms=-1");
      ClusterTopics.awaitInSync(here, SHOWN, Set.of(1, 2));
      ClusterTopics.awaitInSync(here, THEIRS, Set.of(1, 2));
      for (int leader : new int[] {1, 2}) {
        ClusterTopics.move(here, SHOWN, leader, 3 - leader);
        long more = tiered(there, 1_500 * leader, 1_500 * (leader + 1));
        assertThat(more).isGreaterThan(first);
        TwoClusters.until("the mount grows", () -> end(here, SHOWN) >= more);
        ClusterTopics.awaitInSync(here, SHOWN, Set.of(1, 2));
        refusesRecords(here);
        assertThat(bytes(here, leader) + bytes(here, 3 - leader)).isZero();
      }

      int leader = ClusterTopics.leader(here, THEIRS);
      long restored = end(here, THEIRS);
      assertThat(restored).isGreaterThanOrEqualTo(first);
      ClusterTopics.move(here, THEIRS, 3 - leader, leader);
      try (KafkaProducer<String, String> producer = TwoClusters.producer(here.node(1))) {
        assertThat(producer.send(new ProducerRecord<>("trips", 0, "k", "v")).get().offset())
            .isEqualTo(restored);
      }
    }
  }

  private static void tier(TestCluster at, String... arguments) throws Exception {
    String[] all = new String[arguments.length + 3];
    all[0] = "tier";
    System.arraycopy(arguments, 0, all, 1, arguments.length);
    all[arguments.length + 1] = "--bootstrap";
    all[arguments.length + 2] = at.bootstrap(1);
    ToolProcess.Ended ended = ToolProcess.run(at.directory(1), Map.of(), all);
    assertThat(ended.exitCode()).as("%s%n%s", ended.out(), ended.err()).isZero();
  }

  private static long tiered(BrokerProcess there, int from, int to) throws Exception {
    TwoClusters.produce(there, "trips", 1, from, to);
    TwoClusters.until(
        "most of it is tiered",
        () -> TwoClusters.offset(there, THEIRS, OffsetSpec.latestTiered()) > to - 600);
    return TwoClusters.offset(there, THEIRS, OffsetSpec.latestTiered()) + 1;
  }

  private static long end(TestCluster at, TopicPartition partition) throws Exception {
    return TwoClusters.offset(at.node(1), partition, OffsetSpec.latest());
  }

  private static void refusesRecords(TestCluster at) {
    try (KafkaProducer<String, String> producer = TwoClusters.producer(at.node(1))) {
      assertThatThrownBy(() -> producer.send(new ProducerRecord<>("live", 0, "k", "v")).get())
          .hasCauseInstanceOf(PolicyViolationException.class);
    }
  }

  private static long bytes(TestCluster at, int node) throws IOException {
    long bytes = 0;
    try (Stream<Path> files =
        Files.list(at.directory(node).resolve("data").resolve(SHOWN.toString()))) {
      for (Path file : files.filter(f -> f.toString().endsWith(".log")).toList()) {
        bytes += Files.size(file);
      }
    }
    return bytes;
  }
}

package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.common.Uuid;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** One object store for all brokers of a cluster, whose controller stands in its configuration. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class SharedStoreTest {
  private static final String TOPIC = "tiered";
  private static final int RECORDS = 4_000;

  @TempDir Path dir;

  @Test
  void brokersTierSideBySideAndOneKeepsTheBackupsAfterAnother() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.CONTROLLER, 9)
            .with(NodeRole.BROKER, 1, 2)
            .replicas(1, 1)
            .withStaticVoters()
            .set(
                Map.of(
                    "strandline.metadata.backup.ms", "1000",
                    "strandline.tier.check.ms", "200",
                    "strandline.tier.reclaim.ms", "500",
                    "strandline.tier.grace.ms", "1000",
                    "strandline.scrub.grace.ms", "2000",
                    "log.segment.delete.delay.ms", "100"))
            .start()) {
      ClusterTopics.create(
          cluster,
          TOPIC,
          Map.of(0, List.of(1), 1, List.of(2)),
          Map.of("segment.bytes", "1048576", "local.retention.bytes", "1"));
      List<String> values = Records.values("x".repeat(2_000), RECORDS);
      Records.produce(cluster.bootstrap(), TOPIC, 2, values);
      for (int broker : cluster.brokers()) {
        Waiting.until(
            "broker " + broker + " to release what it tiered",
            () -> cluster.node(broker).metric("strandline_tiering_released_bytes_total") > 0);
      }
      assertThat(Records.consume(cluster.bootstrap(), TOPIC, 2, RECORDS))
          .as("from the tier")
          .containsExactlyInAnyOrderElementsOf(values);
      backups(cluster);
      deletion(cluster);
      anotherStore(cluster);
    }
  }

  private void anotherStore(TestCluster cluster) throws Exception {
    BrokerProcess broker = cluster.node(2);
    assertThat(broker.stop()).isZero();
    broker.set("strandline.object.store", "file:" + dir.resolve("elsewhere"));
    assertThat(broker.startAgainRefused())
        .singleElement()
        .asString()
        .contains("broker 1 uses another object store", "strandline.object.store");
    broker.set("strandline.object.store", "file:" + dir.resolve("link"));
    Files.createSymbolicLink(dir.resolve("link"), cluster.objects());
    broker.startAgain();
    ClusterTopics.awaitLive(cluster, Set.of(1, 2));
  }

  /** No broker is a controller here: the live one with the lowest id backs the metadata up. */
  private static void backups(TestCluster cluster) throws Exception {
    Waiting.until("backups by broker 1", () -> written(cluster, 1) > 0);
    assertThat(written(cluster, 2)).as("backups by broker 2").isZero();
    assertThat(cluster.node(1).stop()).isZero();
    ClusterTopics.create(cluster, "later", Map.of(0, List.of(2)), Map.of());
    Waiting.until("backups by broker 2", () -> written(cluster, 2) > 0);
    cluster.node(1).startAgain();
    ClusterTopics.awaitLive(cluster, Set.of(1, 2));
  }

  private static double written(TestCluster cluster, int broker) throws IOException {
    return cluster.node(broker).metric("strandline_metadata_backups_total");
  }

  /** A broker that is away when a topic is deleted does its part when it is back. */
  private static void deletion(TestCluster cluster) throws Exception {
    Uuid id =
        cluster
            .admin()
            .describeTopics(List.of(TOPIC))
            .topicNameValues()
            .get(TOPIC)
            .get(30, TimeUnit.SECONDS)
            .topicId();
    assertThat(segments(cluster, id)).isPositive();
    cluster.node(2).kill();
    cluster.admin().deleteTopics(List.of(TOPIC)).all().get(30, TimeUnit.SECONDS);
    cluster.node(2).startAgain();
    Waiting.until("nothing of the topic to be left", () -> segments(cluster, id) == 0);
  }

  private static long segments(TestCluster cluster, Uuid topic) throws IOException {
    try (Stream<Path> all = Files.walk(cluster.objects())) {
      return all.map(Path::toString)
          .filter(path -> path.contains(topic.toString()) && path.endsWith(".seg"))
          .count();
    } catch (java.io.UncheckedIOException vanishing) {
      return -1;
    }
  }

  @Test
  void aBrokerOfALargerClusterNamesAStoreThatKeepsWritersApart() throws Exception {
    Map<String, String> settings =
        Map.of(
            "process.roles", "broker",
            "node.id", "5",
            "controller.quorum.bootstrap.servers", "127.0.0.1:" + Ports.free());
    BrokerProcess.Refusal unnamed =
        BrokerProcess.startRefused(dir.resolve("unnamed"), settings, Map.of());
    assertThat(unnamed.exitCode()).isEqualTo(1);
    assertThat(unnamed.said())
        .singleElement()
        .asString()
        .contains("strandline.object.store must be set")
        .contains("strandline.tier.enable");
    Map<String, String> careless = new java.util.HashMap<>(settings);
    careless.put("strandline.object.store", "file:" + dir.resolve("objects"));
    careless.put("strandline.store.single.writer", "true");
    BrokerProcess.Refusal single =
        BrokerProcess.startRefused(dir.resolve("single"), careless, Map.of());
    assertThat(single.said()).singleElement().asString().contains("strandline.store.single.writer");
  }
}

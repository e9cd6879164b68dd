package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Replicas of a partition whose history is in the tier: they copy what is not. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class TieredReplicaTest {
  private static final TopicPartition PARTITION = new TopicPartition("long", 0);
  private static final int SEGMENT = 1 << 20;
  private static final int RECORD = 10_000;
  private static final Map<String, String> SMALL_AND_SOON_GONE =
      ClusterTopics.tiered(SEGMENT, 2 * SEGMENT);

  @TempDir Path dir;
  private final Random random = new Random(7);
  private final List<byte[]> sent = new ArrayList<>();

  @Test
  void aNewReplicaCopiesTheHotTailAloneAndLeadsWithAllOfTheHistory() throws Exception {
    try (TestCluster cluster = start()) {
      ClusterTopics.create(cluster, PARTITION.topic(), Map.of(0, List.of(2)), SMALL_AND_SOON_GONE);
      produce(cluster, 10);
      long localStart = awaitReleased(cluster, 2);
      Waiting.until("most of it is in the tier alone", () -> localBytes(cluster, 2) < 4L * SEGMENT);

      move(cluster, 2, 3);
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
      assertThat(firstLocal(cluster, 3)).isGreaterThanOrEqualTo(localStart);
      assertThat(localBytes(cluster, 3)).isLessThan(5L * SEGMENT);

      produce(cluster, 6);
      move(cluster, 3);
      ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
      Waiting.until("gone from 2", () -> Files.notExists(replica(cluster, 2)));
      produce(cluster, 3);
      assertAllThere(cluster);
    }
  }

  /** What followers have locally goes as it goes at the leader, and not before. */
  @Test
  void aFollowerFreesWhatItsLeaderHasTieredAndReturnsAfterALongAbsence() throws Exception {
    try (TestCluster cluster = start()) {
      ClusterTopics.create(
          cluster, PARTITION.topic(), Map.of(0, List.of(2, 3)), SMALL_AND_SOON_GONE);
      produce(cluster, 10);
      long released = awaitReleased(cluster, 2);
      Waiting.until("released by the follower", () -> firstLocal(cluster, 3) > 0);
      assertThat(firstLocal(cluster, 3)).isLessThanOrEqualTo(tieredEnd(cluster));
      assertThat(released).isPositive();

      cluster.node(3).kill();
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2));
      long before = Files.size(newest(cluster, 3));
      produce(cluster, 10);
      long end = tieredEnd(cluster);
      Waiting.until("released beyond the follower's end", () -> firstLocal(cluster, 2) > 1_600);
      cluster.node(3).startAgain();
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
      assertThat(before).isPositive();
      assertThat(firstLocal(cluster, 3))
          .as("began anew at the tier's end")
          .isGreaterThanOrEqualTo(end);

      cluster.node(2).kill();
      ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(3));
      produce(cluster, 3);
      assertAllThere(cluster);
    }
  }

  private TestCluster start() throws IOException {
    return new Blueprint(dir)
        .with(NodeRole.COMBINED, 1)
        .with(NodeRole.BROKER, 2, 3)
        .replicas(1, 1)
        .start();
  }

  // ---- what lies where

  private static Path replica(TestCluster cluster, int node) {
    return cluster.directory(node).resolve("data").resolve(PARTITION.toString());
  }

  private static List<Path> logs(TestCluster cluster, int node) throws IOException {
    return KafkaPeer.logs(cluster.directory(node).resolve("data"), PARTITION.toString());
  }

  private static Path newest(TestCluster cluster, int node) throws IOException {
    List<Path> logs = logs(cluster, node);
    return logs.get(logs.size() - 1);
  }

  private static long firstLocal(TestCluster cluster, int node) throws IOException {
    String name = logs(cluster, node).get(0).getFileName().toString();
    return Long.parseLong(name.substring(0, name.indexOf('.')));
  }

  private static long localBytes(TestCluster cluster, int node) throws IOException {
    long bytes = 0;
    for (Path log : logs(cluster, node)) {
      bytes += Files.size(log);
    }
    return bytes;
  }

  /** Clients are told the last offset that is tiered (KIP-1005). */
  private static long tieredEnd(TestCluster cluster) throws Exception {
    return cluster
            .admin()
            .listOffsets(Map.of(PARTITION, OffsetSpec.latestTiered()))
            .partitionResult(PARTITION)
            .get(30, TimeUnit.SECONDS)
            .offset()
        + 1;
  }

  private static long awaitReleased(TestCluster cluster, int leader) throws Exception {
    Waiting.until("released by the leader", () -> firstLocal(cluster, leader) > 0);
    return firstLocal(cluster, leader);
  }

  private static void move(TestCluster cluster, Integer... replicas) throws Exception {
    ClusterTopics.reassign(cluster.admin(), PARTITION, List.of(replicas));
  }

  // ---- records

  private void produce(TestCluster cluster, int segments) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("acks", "all");
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (int i = 0; i < segments * (SEGMENT / RECORD); i++) {
        byte[] value = new byte[RECORD];
        random.nextBytes(value);
        sent.add(value);
        var result = producer.send(new ProducerRecord<>(PARTITION.topic(), 0, null, value));
        if (i % 100 == 99) {
          result.get(60, TimeUnit.SECONDS);
        }
      }
      producer.flush();
    }
  }

  private void assertAllThere(TestCluster cluster) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("auto.offset.reset", "none");
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      consumer.assign(List.of(PARTITION));
      consumer.seek(PARTITION, 0);
      int next = 0;
      while (next < sent.size()) {
        for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofMillis(200))) {
          assertThat(r.offset()).isEqualTo(next);
          assertThat(r.value()).isEqualTo(sent.get(next++));
        }
      }
      assertThat(consumer.endOffsets(List.of(PARTITION))).containsEntry(PARTITION, (long) next);
    }
  }
}

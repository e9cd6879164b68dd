package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.DescribeProducersOptions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A partition on three brokers: what is acknowledged to acks=all outlives the leader. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ReplicationTest {
  private static final TopicPartition PARTITION = new TopicPartition("copied", 0);
  private static final Set<Integer> ALL = Set.of(1, 2, 3);

  @TempDir Path dir;

  @Test
  void whatIsAcknowledgedOutlivesTheLeaderAndAllReplicasEndEqual() throws Exception {
    try (TestCluster cluster = start();
        KafkaProducer<String, String> producer = producer(cluster.bootstrap(), "all")) {
      ClusterTopics.create(cluster, PARTITION.topic(), Map.of(0, List.of(2, 3, 1)), Map.of());
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);
      List<String> acknowledged = new ArrayList<>(send(producer, 0, 500));

      cluster.node(2).kill();
      acknowledged.addAll(send(producer, 500, 1000));
      assertThat(ClusterTopics.leader(cluster, PARTITION)).isIn(1, 3);
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(1, 3));

      cluster.node(2).startAgain();
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);
      cluster.node(3).kill();
      acknowledged.addAll(send(producer, 1000, 1500));
      cluster.node(3).startAgain();
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);

      assertThat(consume(cluster, acknowledged.size())).containsExactlyElementsOf(acknowledged);
      producer.close();
      awaitEqualLogs(cluster);
      for (int replica : ALL) {
        assertThat(lastSequence(cluster, replica)).isEqualTo(1499);
      }
    }
  }

  /** What a replica knows of the one producer. */
  private static int lastSequence(TestCluster cluster, int replica) throws Exception {
    return cluster
        .admin()
        .describeProducers(List.of(PARTITION), new DescribeProducersOptions().brokerId(replica))
        .partitionResult(PARTITION)
        .get(30, TimeUnit.SECONDS)
        .activeProducers()
        .get(0)
        .lastSequence();
  }

  /** A leader that is cut off writes what nobody else has; it gives way to what came after. */
  @Test
  void recordsThatOnlyADeposedLeaderHasAreCutOff() throws Exception {
    try (TestCluster cluster = start()) {
      ClusterTopics.create(cluster, PARTITION.topic(), Map.of(0, List.of(2, 3, 1)), Map.of());
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);
      List<String> kept = new ArrayList<>();
      try (KafkaProducer<String, String> all = producer(cluster.bootstrap(), "all")) {
        kept.addAll(send(all, 0, 100));
      }
      cluster.node(1).pause();
      cluster.node(3).pause();
      // By its address alone: who stands still takes connections and answers nothing.
      try (KafkaProducer<String, String> one = producer(cluster.bootstrap(2), "1")) {
        assertThat(send(one, 9000, 9050)).as("acknowledged by the leader alone").hasSize(50);
      }
      cluster.node(2).kill();
      cluster.node(1).resume();
      cluster.node(3).resume();
      ClusterTopics.awaitLeader(cluster, PARTITION, Set.of(1, 3));
      try (KafkaProducer<String, String> all = producer(cluster.bootstrap(), "all")) {
        kept.addAll(send(all, 100, 200));
      }
      cluster.node(2).startAgain();
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);
      List<String> found = consume(cluster, kept.size());
      // What was on its way to the others when they stood still has reached them.
      assertThat(found).doesNotContain("value 9049");
      found.removeIf(value -> value.matches("value 90\\d\\d"));
      assertThat(found).containsExactlyElementsOf(kept);
      awaitEqualLogs(cluster);
    }
  }

  /** Its fetches go on where they stopped, and pass over a partition in which nothing changed. */
  @Test
  void aFollowerThatStoodStillIsLetInAgainThoughNothingIsAppended() throws Exception {
    try (TestCluster cluster = start()) {
      ClusterTopics.create(cluster, PARTITION.topic(), Map.of(0, List.of(2, 3, 1)), Map.of());
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);
      cluster.node(3).pause();
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(1, 2));
      cluster.node(3).resume();
      ClusterTopics.awaitInSync(cluster, PARTITION, ALL);
    }
  }

  private TestCluster start() throws IOException {
    return new Blueprint(dir)
        .with(NodeRole.COMBINED, 1)
        .with(NodeRole.BROKER, 2, 3)
        .replicas(3, 2)
        .start();
  }

  private static KafkaProducer<String, String> producer(String bootstrap, String acks) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", acks);
    properties.put("enable.idempotence", Boolean.toString(acks.equals("all")));
    properties.put("batch.size", "500");
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  private static List<String> send(KafkaProducer<String, String> producer, int from, int to)
      throws Exception {
    List<Future<RecordMetadata>> sent = new ArrayList<>();
    List<String> values = new ArrayList<>();
    for (int i = from; i < to; i++) {
      values.add("value " + i);
      sent.add(producer.send(new ProducerRecord<>(PARTITION.topic(), 0, "key " + i, "value " + i)));
    }
    for (Future<RecordMetadata> one : sent) {
      one.get(60, TimeUnit.SECONDS);
    }
    return values;
  }

  private static List<String> consume(TestCluster cluster, int count) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("auto.offset.reset", "earliest");
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(PARTITION));
      long end = consumer.endOffsets(List.of(PARTITION)).get(PARTITION);
      while (consumer.position(PARTITION) < end || found.size() < count) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
          found.add(r.value());
        }
      }
      return found;
    }
  }

  private static void awaitEqualLogs(TestCluster cluster) {
    Waiting.until(
        "equal logs on all brokers",
        () -> {
          byte[] first = log(cluster, 1);
          return first.length > 0
              && Arrays.equals(first, log(cluster, 2))
              && Arrays.equals(first, log(cluster, 3));
        });
  }

  private static byte[] log(TestCluster cluster, int node) throws IOException {
    Path replica = cluster.directory(node).resolve("data").resolve(PARTITION.toString());
    try (Stream<Path> files = Files.list(replica)) {
      List<Path> logs =
          files
              .filter(file -> file.toString().endsWith(".log"))
              .sorted(Comparator.naturalOrder())
              .toList();
      assertThat(logs).hasSize(1);
      return Files.readAllBytes(logs.get(0));
    }
  }
}

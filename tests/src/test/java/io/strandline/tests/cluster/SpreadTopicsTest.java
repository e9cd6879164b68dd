package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Three brokers with a partition each: clients come in by any of them and find all. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class SpreadTopicsTest {
  private static final String TOPIC = "spread";
  private static final int RECORDS = 300;
  private static final Map<Integer, List<Integer>> ONE_EACH =
      Map.of(0, List.of(1), 1, List.of(2), 2, List.of(3));

  @TempDir Path dir;

  @Test
  void everyBrokerLeadsClientsToAllPartitions() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .start()) {
      ClusterTopics.create(cluster, TOPIC, ONE_EACH, Map.of());
      for (int broker : cluster.brokers()) {
        produce(cluster.bootstrap(broker), "by " + broker);
      }
      List<String> expected = new ArrayList<>();
      cluster.brokers().forEach(broker -> expected.addAll(values("by " + broker)));
      for (int broker : cluster.brokers()) {
        assertThat(consume(cluster.bootstrap(broker), expected.size()))
            .as("through broker " + broker)
            .containsExactlyInAnyOrderElementsOf(expected);
      }
      goOnAfterAKill(cluster, expected);
    }
  }

  /** A broker that is no controller comes back with what it had. */
  private static void goOnAfterAKill(TestCluster cluster, List<String> expected) throws Exception {
    cluster.node(2).kill();
    ClusterTopics.awaitLive(cluster, Set.of(1, 3));
    cluster.node(2).startAgain();
    ClusterTopics.awaitLeader(cluster, new TopicPartition(TOPIC, 1), Set.of(2));
    assertThat(consume(cluster.bootstrap(2), expected.size()))
        .as("after a kill of broker 2")
        .containsExactlyInAnyOrderElementsOf(expected);
    assertThat(cluster.node(3).stop()).as("exit code of an orderly stop").isZero();
  }

  private static List<String> values(String prefix) {
    List<String> values = new ArrayList<>();
    for (int i = 0; i < RECORDS; i++) {
      values.add(prefix + " " + i);
    }
    return values;
  }

  private static void produce(String bootstrap, String prefix) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      int n = 0;
      var last = producer.send(new ProducerRecord<>(TOPIC, 0, null, values(prefix).get(n++)));
      for (String value : values(prefix).subList(n, RECORDS)) {
        last = producer.send(new ProducerRecord<>(TOPIC, n++ % ONE_EACH.size(), null, value));
      }
      last.get(30, TimeUnit.SECONDS);
      producer.flush();
    }
  }

  private static List<String> consume(String bootstrap, int count) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("auto.offset.reset", "earliest");
    List<String> found = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(
          ONE_EACH.keySet().stream().map(number -> new TopicPartition(TOPIC, number)).toList());
      long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
      while (found.size() < count && System.nanoTime() < deadline) {
        for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
          found.add(r.value());
        }
      }
      return found;
    }
  }
}

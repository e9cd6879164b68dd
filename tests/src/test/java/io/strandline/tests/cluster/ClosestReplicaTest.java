package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.replica.RackAwareReplicaSelector;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** A consumer reads from the replica in its rack (KIP-392), and from the leader when that goes. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class ClosestReplicaTest {
  private static final TopicPartition PARTITION = new TopicPartition("near", 0);
  private static final int RECORDS = 200;

  @TempDir Path dir;

  @Test
  void recordsComeFromTheReplicaInTheRackOfTheClient() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.COMBINED, 1)
            .with(NodeRole.BROKER, 2, 3)
            .replicas(1, 1)
            .set("replica.selector.class", RackAwareReplicaSelector.class.getName())
            .set(1, "broker.rack", "a")
            .set(2, "broker.rack", "b")
            .set(3, "broker.rack", "c")
            .start()) {
      ClusterTopics.create(cluster, PARTITION.topic(), Map.of(0, List.of(2, 3)), Map.of());
      ClusterTopics.awaitInSync(cluster, PARTITION, Set.of(2, 3));
      produce(cluster);
      try (KafkaConsumer<String, String> consumer = consumer(cluster, "c")) {
        read(consumer, 0, RECORDS);
        assertThat(preferred(consumer)).isEqualTo(3);
        produce(cluster);
        read(consumer, RECORDS, 2 * RECORDS);
        assertThat(preferred(consumer)).isEqualTo(3);

        // No replica has what it asks for next, and one of them has to say so.
        RecordsToDelete gone = RecordsToDelete.beforeOffset(RECORDS / 2);
        cluster.admin().deleteRecords(Map.of(PARTITION, gone)).all().get(30, TimeUnit.SECONDS);
        consumer.seek(PARTITION, 10);
        read(consumer, RECORDS / 2, 2 * RECORDS);
        assertThat(preferred(consumer)).isEqualTo(3);

        cluster.node(3).kill();
        produce(cluster);
        read(consumer, 2 * RECORDS, 3 * RECORDS);
        assertThat(preferred(consumer)).as("none left but the leader").isEqualTo(-1);
      }
    }
  }

  /** The replica that the client was sent to, -1 for the leader. */
  private static int preferred(KafkaConsumer<String, String> consumer) {
    return consumer.metrics().entrySet().stream()
        .filter(metric -> metric.getKey().name().equals("preferred-read-replica"))
        .map(metric -> ((Number) metric.getValue().metricValue()).intValue())
        .findFirst()
        .orElseThrow();
  }

  private static void produce(TestCluster cluster) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < RECORDS; i++) {
        var unused = producer.send(new ProducerRecord<>(PARTITION.topic(), 0, null, "value " + i));
      }
      producer.flush();
    }
  }

  private static KafkaConsumer<String, String> consumer(TestCluster cluster, String rack) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", cluster.bootstrap());
    properties.put("auto.offset.reset", "earliest");
    properties.put("client.rack", rack);
    KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
    consumer.assign(List.of(PARTITION));
    return consumer;
  }

  private static void read(KafkaConsumer<String, String> consumer, int from, int end) {
    int[] next = {from};
    Waiting.polling(
        "records to " + end,
        () -> {
          for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
            assertThat(record.offset()).isEqualTo(next[0]);
            assertThat(record.value()).isEqualTo("value " + next[0]++ % RECORDS);
          }
          return next[0] >= end;
        });
    assertThat(next[0]).isEqualTo(end);
  }
}

package io.strandline.tests.cluster;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.fault.Waiting;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients that name a topic which is not there and can not be created for now. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
class MissingTopicTest {
  private static final String TOPIC = "wanted";
  private static final int PATIENCE_MS = 8_000;

  @TempDir Path dir;

  @Test
  void theyAskOnAndGetTheirOtherTopicsMeanwhile() throws Exception {
    try (TestCluster cluster =
        new Blueprint(dir)
            .with(NodeRole.CONTROLLER, 101)
            .with(NodeRole.BROKER, 1)
            .replicas(1, 1)
            .set("default.replication.factor", "2") // more than there are brokers
            .start()) {
      try (KafkaConsumer<String, String> consumer = consumer(cluster);
          KafkaProducer<String, String> producer = producer(cluster)) {
        consumer.subscribe(List.of(TOPIC));
        Waiting.until(
            "the refusal to be told",
            () -> {
              consumer.poll(Duration.ofMillis(100));
              return cluster.node(1).output().contains("a topic that a client named was not");
            });
        cluster
            .admin()
            .createTopics(List.of(new NewTopic(TOPIC, 1, (short) 1)))
            .all()
            .get(30, TimeUnit.SECONDS);
        send(producer);
        Waiting.polling("the record", () -> !consumer.poll(Duration.ofMillis(200)).isEmpty());

        cluster.node(101).kill();
        CompletableFuture<Void> asking =
            CompletableFuture.runAsync(
                () ->
                    assertThatThrownBy(() -> producer.partitionsFor("another"))
                        .isInstanceOf(TimeoutException.class));
        int sent = 0;
        while (!asking.isDone()) {
          send(producer);
          sent++;
        }
        asking.join();
        assertThat(sent).isPositive();
      }
    }
  }

  private static void send(KafkaProducer<String, String> producer) throws Exception {
    var unused = producer.send(new ProducerRecord<>(TOPIC, "v")).get(30, TimeUnit.SECONDS);
  }

  /** Gives up sooner than the broker does on its controller. */
  private static KafkaProducer<String, String> producer(TestCluster cluster) {
    return new KafkaProducer<>(
        Map.of(
            "bootstrap.servers",
            cluster.bootstrap(),
            "max.block.ms",
            PATIENCE_MS,
            "request.timeout.ms",
            PATIENCE_MS / 2,
            "delivery.timeout.ms",
            PATIENCE_MS / 2,
            "linger.ms",
            0),
        new StringSerializer(),
        new StringSerializer());
  }

  private static KafkaConsumer<String, String> consumer(TestCluster cluster) {
    return new KafkaConsumer<>(
        Map.of(
            "bootstrap.servers", cluster.bootstrap(),
            "group.id", "waiting",
            "auto.offset.reset", "earliest"),
        new StringDeserializer(),
        new StringDeserializer());
  }
}

package io.strandline.tests.share;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.ShareConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What a share group costs its broker: requests, bytes, and what is kept. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class ShareCostTest {
  /** Answers wait for half a second: so many are a minute of them. */
  private static final double FETCHES_MAX = 120;

  @TempDir static Path dir;
  private BrokerProcess broker;
  private ShareClients clients;

  @BeforeAll
  void start() throws Exception {
    broker =
        BrokerProcess.start(
            dir,
            Map.of(
                "strandline.object.store", "file:" + dir.resolve("objects"),
                "group.share.min.heartbeat.interval.ms", "200",
                "group.share.heartbeat.interval.ms", "200",
                "group.share.assignment.interval.ms", "0",
                "share.coordinator.state.topic.num.partitions", "1",
                "offsets.topic.num.partitions", "1"));
    clients = new ShareClients(broker.bootstrap());
  }

  @AfterAll
  void stop() throws Exception {
    if (broker != null) {
      broker.close();
    }
  }

  private double metric(String name) {
    try {
      return broker.metric(name);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private double fetches() {
    try {
      return broker
          .admin("/metrics")
          .body()
          .lines()
          .filter(line -> line.startsWith("strandline_request_time_seconds_count{"))
          .filter(line -> line.contains("api=\"ShareFetch\""))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' ') + 1)))
          .sum();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Set<String> topics(Iterable<ConsumerRecord<String, String>> records) {
    Set<String> topics = new HashSet<>();
    records.forEach(record -> topics.add(record.topic()));
    return topics;
  }

  @Test
  void aTopicThatIsDeletedIsForgotten() {
    clients.topic("kept", Map.of());
    clients.topic("gone", Map.of());
    clients.produce("kept", 0, 1);
    clients.produce("gone", 0, 1);
    try (ShareConsumer<String, String> consumer = clients.consumer("kept", Map.of());
        Admin admin = clients.admin()) {
      consumer.subscribe(List.of("kept", "gone"));
      Set<String> seen = new HashSet<>();
      ShareClients.await(
          "both",
          () -> {
            seen.addAll(topics(consumer.poll(ShareClients.POLL)));
            return seen.size() == 2;
          });
      consumer.commitSync();
      assertThat(metric("strandline_share_partitions")).isEqualTo(2);
      double before = fetches();
      ShareClients.get(admin.deleteTopics(List.of("gone")).all());
      ShareClients.await(
          "what was deleted to be let go of",
          () -> {
            consumer.poll(ShareClients.POLL);
            return metric("strandline_share_partitions") == 1;
          });
      assertThat(ShareClients.rest(consumer)).isEmpty();
      clients.produce("kept", 1, 2);
      assertThat(topics(ShareClients.some(consumer))).containsExactly("kept");
      assertThat(fetches() - before).isLessThan(FETCHES_MAX);
    }
    ShareClients.await("the group to be gone", () -> metric("strandline_share_partitions") == 0);
  }

  @Test
  void noMoreIsReadThanIsGiven() {
    int partitions = 50;
    int polled = 100;
    String value = "x".repeat(1_000);
    clients.topic("wide", Map.of());
    try (Admin admin = clients.admin();
        KafkaProducer<String, String> producer =
            clients.producer(Map.of("batch.size", 20_000, "linger.ms", 50))) {
      ShareClients.get(
          admin.createPartitions(Map.of("wide", NewPartitions.increaseTo(partitions))).all());
      ShareClients.await(
          "the partitions", () -> producer.partitionsFor("wide").size() == partitions);
      for (int i = 0; i < 200; i++) {
        for (int partition = 0; partition < partitions; partition++) {
          producer.send(new ProducerRecord<>("wide", partition, null, value));
        }
      }
    }
    double before = metric("strandline_share_read_bytes_total");
    Set<String> got = new HashSet<>();
    try (ShareConsumer<String, String> consumer =
        clients.consumer("wide", Map.of("max.poll.records", polled))) {
      ShareClients.await(
          "records",
          () -> {
            consumer
                .poll(ShareClients.POLL)
                .forEach(record -> got.add(record.partition() + "-" + record.offset()));
            return got.size() >= 20 * polled;
          });
    }
    double read = metric("strandline_share_read_bytes_total") - before;
    assertThat(read / got.size()).isBetween(1_000.0, 10_000.0);
    ShareClients.await("nothing to be held", () -> metric("strandline_share_read_used_bytes") == 0);
  }
}

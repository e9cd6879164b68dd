package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.GroupListing;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.RecordsToDelete;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.RecordTooLargeException;
import org.apache.kafka.common.errors.TopicExistsException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The Java client of today, from the first topic to the last commit. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class ClientJourneyTest {
  private static final Duration POLL = Duration.ofMillis(100);

  private Node node;
  private Admin admin;

  @BeforeAll
  void start(@TempDir Path dir) {
    node = new Node(dir, Map.of());
    admin = node.admin();
  }

  @AfterAll
  void stop() {
    admin.close();
    node.close();
  }

  @Test
  void topicsAreCreatedDescribedAlteredAndDeleted() {
    create("journey", 2, Map.of("retention.ms", "3600000"));
    assertThatThrownBy(() -> create("journey", 2, Map.of()))
        .isInstanceOf(TopicExistsException.class);
    assertThatThrownBy(() -> create("no/such name", 1, Map.of()))
        .isInstanceOf(InvalidTopicException.class);
    Node.await(
        "the topic in metadata", () -> Node.get(admin.listTopics().names()).contains("journey"));
    TopicDescription described = describe("journey");
    assertThat(described.partitions()).hasSize(2);
    assertThat(described.partitions().get(0).leader().id()).isEqualTo(1);
    assertThat(config("journey", "retention.ms")).isEqualTo("3600000");

    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, "journey");
    Collection<AlterConfigOp> change =
        List.of(
            new AlterConfigOp(new ConfigEntry("retention.ms", ""), AlterConfigOp.OpType.DELETE),
            new AlterConfigOp(
                new ConfigEntry("max.message.bytes", "2000"), AlterConfigOp.OpType.SET));
    Node.get(admin.incrementalAlterConfigs(Map.of(resource, change)).all());
    Node.get(admin.createPartitions(Map.of("journey", NewPartitions.increaseTo(3))).all());
    Node.await("the change", () -> config("journey", "max.message.bytes").equals("2000"));
    assertThat(config("journey", "retention.ms")).isEqualTo("604800000");
    Node.await("the partition", () -> describe("journey").partitions().size() == 3);
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      assertThatThrownBy(
              () ->
                  producer
                      .send(new ProducerRecord<>("journey", "x".repeat(5000)))
                      .get(30, TimeUnit.SECONDS))
          .hasCauseInstanceOf(RecordTooLargeException.class);
    }

    Node.get(admin.deleteTopics(List.of("journey")).all());
    Node.await(
        "the end of the topic", () -> !Node.get(admin.listTopics().names()).contains("journey"));
    assertThatThrownBy(() -> describe("journey"))
        .isInstanceOf(UnknownTopicOrPartitionException.class);
  }

  @ParameterizedTest
  @CsvSource({
    "none,0,false", "none,1,false", "none,all,false", "none,all,true", "gzip,all,true",
    "snappy,all,true", "lz4,all,true", "zstd,all,true", "zstd,1,false", "lz4,0,false"
  })
  void everyCodecWithEveryKindOfAcknowledgement(String codec, String acks, String idempotent)
      throws Exception {
    String topic = "codec-" + codec + "-" + acks + "-" + idempotent;
    create(topic, 1, Map.of());
    int count = 500;
    try (KafkaProducer<String, String> producer =
        node.producer(
            Map.of(
                "compression.type",
                codec,
                "acks",
                acks,
                "enable.idempotence",
                idempotent,
                "linger.ms",
                "5"))) {
      for (int i = 0; i < count; i++) {
        var unused =
            producer.send(
                new ProducerRecord<>(
                    topic,
                    0,
                    1_000_000L + i,
                    "key-" + i,
                    "value-" + i,
                    List.of(
                        new RecordHeader("h", ("header-" + i).getBytes(StandardCharsets.UTF_8)))));
      }
      producer.flush();
    }
    List<ConsumerRecord<String, String>> records = read(topic, count);
    for (int i = 0; i < count; i++) {
      ConsumerRecord<String, String> record = records.get(i);
      assertThat(record.offset()).isEqualTo(i);
      assertThat(record.timestamp()).isEqualTo(1_000_000L + i);
      assertThat(record.key()).isEqualTo("key-" + i);
      assertThat(record.value()).isEqualTo("value-" + i);
      assertThat(new String(record.headers().lastHeader("h").value(), StandardCharsets.UTF_8))
          .isEqualTo("header-" + i);
    }
  }

  @Test
  void recordsAreFoundByTimeAndLogStartMoves() throws Exception {
    create("times", 1, Map.of());
    TopicPartition tp = new TopicPartition("times", 0);
    try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
      for (int i = 0; i < 100; i++) {
        producer.send(new ProducerRecord<>("times", 0, 10_000L + i * 10L, "k", "v" + i)).get();
      }
    }
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      assertThat(consumer.offsetsForTimes(Map.of(tp, 10_355L)).get(tp).offset()).isEqualTo(36);
      assertThat(consumer.offsetsForTimes(Map.of(tp, 99_999L)).get(tp)).isNull();
    }
    assertThat(offset(tp, OffsetSpec.maxTimestamp())).isEqualTo(99);
    assertThat(
            Node.get(
                    admin
                        .deleteRecords(Map.of(tp, RecordsToDelete.beforeOffset(40)))
                        .lowWatermarks()
                        .get(tp))
                .lowWatermark())
        .isEqualTo(40);
    assertThat(offset(tp, OffsetSpec.earliest())).isEqualTo(40);
    try (KafkaConsumer<String, String> consumer =
        node.consumer(Map.of("auto.offset.reset", "earliest"))) {
      consumer.assign(List.of(tp));
      consumer.seek(tp, 10);
      assertThat(poll(consumer, 60).get(0).offset()).as("reset to the log start").isEqualTo(40);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"classic", "consumer"})
  void groupsShareCommitAndHandOver(String protocol) throws Exception {
    String topic = "shared-" + protocol;
    String group = "group-" + protocol;
    create(topic, 4, Map.of());
    produce(topic, 4, 400);
    Map<String, String> settings = Map.of("group.id", group, "group.protocol", protocol);
    try (KafkaConsumer<String, String> first = node.consumer(settings);
        KafkaConsumer<String, String> second = node.consumer(settings)) {
      first.subscribe(List.of(topic));
      second.subscribe(List.of(topic));
      Set<String> seen = new HashSet<>();
      Node.await(
          "both to have a share",
          () -> {
            first.poll(POLL).forEach(r -> seen.add(r.partition() + ":" + r.offset()));
            second.poll(POLL).forEach(r -> seen.add(r.partition() + ":" + r.offset()));
            return seen.size() == 400 && hasReadItsHalf(first) && hasReadItsHalf(second);
          });
      first.commitSync();
      second.commitSync();
    }
    Map<TopicPartition, OffsetAndMetadata> committed =
        Node.get(admin.listConsumerGroupOffsets(group).partitionsToOffsetAndMetadata());
    assertThat(committed.values())
        .extracting(OffsetAndMetadata::offset)
        .containsOnly(100L)
        .hasSize(4);
    assertThat(Node.get(admin.listGroups().all()))
        .extracting(GroupListing::groupId)
        .contains(group);

    produce(topic, 4, 40);
    try (KafkaConsumer<String, String> next = node.consumer(settings)) {
      next.subscribe(List.of(topic));
      assertThat(poll(next, 40))
          .as("goes on where the group stood")
          .allMatch(r -> r.offset() >= 100);
    }
    Node.await(
        "an empty group",
        () ->
            Node.get(admin.describeConsumerGroups(List.of(group)).all())
                .get(group)
                .members()
                .isEmpty());
    TopicPartition zero = new TopicPartition(topic, 0);
    Node.get(admin.alterConsumerGroupOffsets(group, Map.of(zero, new OffsetAndMetadata(7))).all());
    try (KafkaConsumer<String, String> reset = node.consumer(settings)) {
      reset.subscribe(List.of(topic));
      assertThat(poll(reset, 100)).anyMatch(r -> r.partition() == 0 && r.offset() == 7);
    }
    Node.await(
        "an empty group",
        () ->
            Node.get(admin.describeConsumerGroups(List.of(group)).all())
                .get(group)
                .members()
                .isEmpty());
    Node.get(admin.deleteConsumerGroups(List.of(group)).all());
    assertThat(Node.get(admin.listGroups().all()))
        .extracting(GroupListing::groupId)
        .doesNotContain(group);
  }

  @Test
  void fetchWaitsForBytesAndKeepsToItsLimits() throws Exception {
    create("limits", 1, Map.of());
    produce("limits", 1, 2_000);
    Map<String, String> small =
        Map.of("max.partition.fetch.bytes", "2000", "fetch.max.bytes", "2000");
    try (KafkaConsumer<String, String> consumer = node.consumer(small)) {
      consumer.assign(List.of(new TopicPartition("limits", 0)));
      assertThat(poll(consumer, 2_000)).hasSize(2_000);
    }
    Map<String, String> patient = Map.of("fetch.min.bytes", "1000000", "fetch.max.wait.ms", "300");
    try (KafkaConsumer<String, String> consumer = node.consumer(patient)) {
      consumer.assign(List.of(new TopicPartition("limits", 0)));
      assertThat(poll(consumer, 2_000))
          .as("fewer bytes than asked for, after the wait")
          .hasSize(2_000);
    }
  }

  @Test
  void manyPartitionsGoThroughOneSession() throws Exception {
    create("wide", 60, Map.of());
    produce("wide", 60, 6_000);
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      List<TopicPartition> all =
          IntStream.range(0, 60).mapToObj(p -> new TopicPartition("wide", p)).toList();
      consumer.assign(all);
      assertThat(poll(consumer, 6_000)).hasSize(6_000);
      produce("wide", 60, 600);
      assertThat(poll(consumer, 600)).hasSize(600);
      consumer.assign(all.subList(0, 10));
      produce("wide", 60, 600);
      assertThat(poll(consumer, 100)).hasSize(100).allMatch(r -> r.partition() < 10);
    }
  }

  private static boolean hasReadItsHalf(KafkaConsumer<String, String> consumer) {
    return consumer.assignment().size() == 2
        && consumer.assignment().stream().allMatch(tp -> consumer.position(tp) == 100);
  }

  private void create(String topic, int partitions, Map<String, String> configs) {
    NewTopic wanted = new NewTopic(topic, Optional.of(partitions), Optional.of((short) 1));
    wanted.configs(configs);
    Node.get(admin.createTopics(List.of(wanted)).all());
  }

  private TopicDescription describe(String topic) {
    return Node.get(admin.describeTopics(List.of(topic)).allTopicNames()).get(topic);
  }

  private String config(String topic, String key) {
    ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
    return Node.get(admin.describeConfigs(List.of(resource)).all()).get(resource).get(key).value();
  }

  private long offset(TopicPartition tp, OffsetSpec spec) {
    return Node.get(admin.listOffsets(Map.of(tp, spec)).partitionResult(tp)).offset();
  }

  private void produce(String topic, int partitions, int count) throws Exception {
    Map<Integer, RecordMetadata> last = new HashMap<>();
    try (KafkaProducer<String, String> producer = node.producer(Map.of("linger.ms", "5"))) {
      for (int i = 0; i < count; i++) {
        var unused =
            producer.send(
                new ProducerRecord<>(topic, i % partitions, "k" + i, "v" + i),
                (m, e) -> {
                  assertThat(e).isNull();
                  last.put(m.partition(), m);
                });
      }
      producer.flush();
    }
    assertThat(last).hasSize(partitions);
  }

  private List<ConsumerRecord<String, String>> read(String topic, int count) {
    try (KafkaConsumer<String, String> consumer = node.consumer(Map.of())) {
      consumer.assign(List.of(new TopicPartition(topic, 0)));
      return poll(consumer, count);
    }
  }

  private static List<ConsumerRecord<String, String>> poll(
      KafkaConsumer<String, String> consumer, int count) {
    List<ConsumerRecord<String, String>> records = new ArrayList<>();
    Node.await(
        count + " records",
        () -> {
          consumer.poll(POLL).forEach(records::add);
          return records.size() >= count;
        });
    return records;
  }
}

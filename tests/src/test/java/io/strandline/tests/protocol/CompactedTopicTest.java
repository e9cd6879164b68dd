package io.strandline.tests.protocol;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.LongStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.junit.jupiter.api.io.TempDir;

/**
 * A compacted topic as clients see it once all of it that may be compacted has been. The same holds
 * of Apache Kafka, given as {@code -Dcompaction.peer=host:port} with {@code
 * log.cleaner.backoff.ms=200}.
 */
class CompactedTopicTest {
  private static final long SEED = 20260721;
  private static final int RECORDS = 30_000;
  private static final TopicPartition TABLE = new TopicPartition("table", 0);

  @TempDir Path dir;

  /** By offset; null for a tombstone. */
  private final NavigableMap<Long, Map.Entry<String, String>> written = new TreeMap<>();

  @Test
  void whatIsCleanInTheTierIsWhatAConsumerReads() {
    try (Node node =
        new Node(dir, Map.of("strandline.tier.check.ms", "100", "log.cleaner.backoff.ms", "200"))) {
      compactedTo(node.bootstrap());
      try (Admin admin = node.admin()) {
        long localStart =
            Node.get(
                    admin
                        .listOffsets(Map.of(TABLE, OffsetSpec.earliestLocal()))
                        .partitionResult(TABLE))
                .offset();
        assertThat(localStart).as("clean local bytes are gone").isGreaterThan(RECORDS);
      }
    }
  }

  @Test
  @EnabledIfSystemProperty(named = "compaction.peer", matches = ".+")
  void soItIsWithApacheKafka() {
    compactedTo(System.getProperty("compaction.peer"));
  }

  /** Less than is worth an object, with the settings that say so as they are by default. */
  @Test
  void howeverLittleItIsItIsCompactedOnceItIsTooOld() throws Exception {
    Map<String, String> settings =
        Map.of(
            "strandline.tier.check.ms", "100",
            "strandline.tier.upload.min.bytes", "8388608",
            "strandline.tier.gather.ms", "600000",
            "log.cleaner.backoff.ms", "200");
    try (Node node = new Node(dir, settings);
        Admin admin = node.admin()) {
      create(
          admin,
          Map.of(
              "cleanup.policy", "compact",
              "segment.ms", "500",
              "max.compaction.lag.ms", "1000"));
      try (KafkaProducer<String, String> producer = node.producer(Map.of())) {
        for (int i = 0; i < 1000; i++) {
          send(producer, i, "key-" + i % 10, "value-" + i);
        }
      }
      Node.await("compaction", () -> read(node.bootstrap(), 1000).size() <= 10);
      assertThat(read(node.bootstrap(), 1000).keySet())
          .containsExactlyElementsOf(LongStream.range(990, 1000).boxed().toList());
    }
  }

  private static void create(Admin admin, Map<String, String> configs) {
    Node.get(
        admin
            .createTopics(List.of(new NewTopic(TABLE.topic(), 1, (short) 1).configs(configs)))
            .all());
  }

  /** Of each key the last record is left, at its offset, and nothing else. */
  private void compactedTo(String bootstrap) {
    write(bootstrap);
    NavigableMap<Long, Map.Entry<String, String>> last = new TreeMap<>();
    Map<String, Long> offsets = new HashMap<>();
    written.forEach((offset, record) -> offsets.put(record.getKey(), offset));
    offsets.values().forEach(offset -> last.put(offset, written.get(offset)));
    Node.await("compaction", () -> read(bootstrap).size() <= last.size());
    assertThat(read(bootstrap)).isEqualTo(last);
  }

  private void write(String bootstrap) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      Map<String, String> configs =
          Map.of(
              "cleanup.policy", "compact",
              "segment.bytes", String.valueOf(1 << 20),
              "min.cleanable.dirty.ratio", "0.01",
              "delete.retention.ms", "86400000");
      create(admin, configs);
    }
    Random random = new Random(SEED);
    Map<String, Object> settings =
        Map.of("bootstrap.servers", bootstrap, "compression.type", "lz4", "linger.ms", 5);
    try (KafkaProducer<String, String> producer =
        new KafkaProducer<>(settings, new StringSerializer(), new StringSerializer())) {
      for (int i = 0; i < RECORDS; i++) {
        String key = "key-" + random.nextInt(700);
        send(producer, i, key, random.nextInt(10) == 0 ? null : i + "-" + random.nextLong());
      }
      // What follows has keys of its own, so that all of the above leaves the active segment.
      for (int i = 0; i < 3000; i++) {
        StringBuilder value = new StringBuilder();
        for (int j = 0; j < 60; j++) {
          value.append(Long.toHexString(random.nextLong()));
        }
        producer.send(new ProducerRecord<>(TABLE.topic(), "filler-" + i, value.toString()));
      }
      producer.flush();
    }
  }

  private void send(KafkaProducer<String, String> producer, long offset, String key, String value) {
    written.put(offset, new java.util.AbstractMap.SimpleEntry<>(key, value));
    producer.send(new ProducerRecord<>(TABLE.topic(), key, value));
  }

  /** What is left of the records that were written first. */
  private static NavigableMap<Long, Map.Entry<String, String>> read(String bootstrap) {
    return read(bootstrap, RECORDS + 1);
  }

  /** What is left of the records that were written first, of so many in all. */
  private static NavigableMap<Long, Map.Entry<String, String>> read(String bootstrap, long end) {
    NavigableMap<Long, Map.Entry<String, String>> read = new TreeMap<>();
    Map<String, Object> settings = Map.of("bootstrap.servers", bootstrap);
    try (KafkaConsumer<String, String> consumer =
        new KafkaConsumer<>(settings, new StringDeserializer(), new StringDeserializer())) {
      consumer.assign(List.of(TABLE));
      consumer.seekToBeginning(List.of(TABLE));
      while (consumer.position(TABLE) < end) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofSeconds(5))) {
          if (record.offset() < RECORDS) {
            read.put(
                record.offset(),
                new java.util.AbstractMap.SimpleEntry<>(record.key(), record.value()));
          }
        }
      }
    }
    return read;
  }
}

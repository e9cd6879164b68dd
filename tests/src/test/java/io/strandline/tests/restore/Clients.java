package io.strandline.tests.restore;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.fault.Waiting;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.common.serialization.StringSerializer;

/** Short work with ordinary clients: every record's value is {@code <topic> <number>}. */
final class Clients {
  private static final Duration LIMIT = Duration.ofSeconds(90);
  private static final String PADDING = "x".repeat(900);

  /** A condition that may fail while what it asks is away. */
  interface Condition {
    boolean met() throws Exception;
  }

  private Clients() {}

  static Admin admin(String bootstrap) {
    return Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  static void create(String bootstrap, String topic, int partitions, Map<String, String> configs)
      throws Exception {
    try (Admin admin = admin(bootstrap)) {
      NewTopic fresh = new NewTopic(topic, Optional.of(partitions), Optional.empty());
      admin
          .createTopics(List.of(fresh.configs(configs)))
          .all()
          .get(LIMIT.toSeconds(), TimeUnit.SECONDS);
    }
  }

  static KafkaProducer<String, String> producer(String bootstrap) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("linger.ms", "5");
    return new KafkaProducer<>(properties, new StringSerializer(), new StringSerializer());
  }

  /** Writes records with these numbers to partition 0 and waits for all; keys repeat. */
  static void produce(String bootstrap, String topic, int from, int to) {
    try (KafkaProducer<String, String> producer = producer(bootstrap)) {
      for (int i = from; i < to; i++) {
        var unused = producer.send(record(topic, i));
      }
      producer.flush();
    }
  }

  static ProducerRecord<String, String> record(String topic, int number) {
    return new ProducerRecord<>(topic, 0, "k" + number % 10, topic + " " + number + " " + PADDING);
  }

  static KafkaConsumer<String, String> consumer(String bootstrap, String group) {
    return consumer(bootstrap, group, "earliest");
  }

  private static KafkaConsumer<String, String> consumer(
      String bootstrap, String group, String reset) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("group.id", group);
    properties.put("auto.offset.reset", reset);
    properties.put("enable.auto.commit", "false");
    return new KafkaConsumer<>(properties, new StringDeserializer(), new StringDeserializer());
  }

  /**
   * The number in each record of partition 0 from the offset to the end, by offset; no error is
   * borne.
   */
  static TreeMap<Long, Integer> read(String bootstrap, String topic, long fromOffset)
      throws Exception {
    TopicPartition partition = new TopicPartition(topic, 0);
    long end = offset(bootstrap, topic, OffsetSpec.latest());
    TreeMap<Long, Integer> found = new TreeMap<>();
    try (KafkaConsumer<String, String> consumer = consumer(bootstrap, "none", "none")) {
      consumer.assign(List.of(partition));
      consumer.seek(partition, fromOffset);
      Waiting.polling(
          "all of " + topic + " up to " + end,
          () -> {
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(200))) {
              assertThat(r.offset())
                  .isGreaterThan(found.isEmpty() ? fromOffset - 1 : found.lastKey());
              found.put(r.offset(), number(r));
            }
            return consumer.position(partition) >= end;
          });
    }
    return found;
  }

  /** Goes on as a member of the group until it saw {@code count} records, and commits them. */
  static List<Integer> consume(String bootstrap, String group, String topic, int count) {
    List<Integer> seen = new ArrayList<>();
    try (KafkaConsumer<String, String> consumer = consumer(bootstrap, group)) {
      consumer.subscribe(List.of(topic));
      long[] last = {-1};
      Waiting.polling(
          count + " records of " + topic + " for " + group,
          () -> {
            for (ConsumerRecord<String, String> r : consumer.poll(Duration.ofMillis(100))) {
              assertThat(r.offset()).isGreaterThan(last[0]); // there is one partition
              last[0] = r.offset();
              if (seen.size() < count) {
                seen.add(number(r));
                consumer.commitSync(
                    Map.of(
                        new TopicPartition(topic, r.partition()),
                        new OffsetAndMetadata(r.offset() + 1)));
              }
            }
            return seen.size() >= count;
          });
    }
    return seen;
  }

  /** Goes to the offset as a member of the group and commits it, as the client itself would. */
  static long consumeAll(String bootstrap, String group, String topic, long end) {
    try (KafkaConsumer<String, String> consumer = consumer(bootstrap, group)) {
      consumer.subscribe(List.of(topic));
      Waiting.polling(
          "all of " + topic + " for " + group,
          () -> {
            consumer.poll(Duration.ofMillis(100));
            return !consumer.assignment().isEmpty()
                && consumer.position(new TopicPartition(topic, 0)) >= end;
          });
      consumer.commitSync();
      return consumer.position(new TopicPartition(topic, 0));
    }
  }

  private static int number(ConsumerRecord<String, String> record) {
    return Integer.parseInt(record.value().split(" ")[1]);
  }

  static long committed(String bootstrap, String group, String topic) throws Exception {
    try (Admin admin = admin(bootstrap)) {
      OffsetAndMetadata found =
          admin
              .listConsumerGroupOffsets(group)
              .partitionsToOffsetAndMetadata()
              .get(30, TimeUnit.SECONDS)
              .get(new TopicPartition(topic, 0));
      return found == null ? -1 : found.offset();
    }
  }

  static long offset(String bootstrap, String topic, OffsetSpec spec) throws Exception {
    TopicPartition partition = new TopicPartition(topic, 0);
    try (Admin admin = admin(bootstrap)) {
      return admin
          .listOffsets(Map.of(partition, spec))
          .partitionResult(partition)
          .get(30, TimeUnit.SECONDS)
          .offset();
    }
  }

  /** Looks until it is met; an exception of the last look is the cause of the failure. */
  static void until(String what, Condition condition) {
    long deadline = System.nanoTime() + LIMIT.toNanos();
    while (true) {
      Exception why = null;
      try {
        if (condition.met()) {
          return;
        }
      } catch (Exception e) {
        why = e;
      }
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for " + what, why);
      }
      LockSupport.parkNanos(20_000_000L);
    }
  }

  static void deleteTree(Path root) throws Exception {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

package io.strandline.bench;

import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * What a client does to a broker while the broker is measured.
 *
 * @param recordBytes size of a record's value
 * @param partitions of the topic
 * @param codec of the producer
 */
record Workload(String name, int recordBytes, int partitions, String codec) {
  private static final Duration POLL = Duration.ofMillis(200);

  /** Creates the topic; with the name of the run, so that each run has a log of its own. */
  void create(Contender.Running broker, String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin
          .createTopics(
              List.of(new NewTopic(topic, Optional.of(partitions), Optional.of((short) 1))))
          .all()
          .get(60, TimeUnit.SECONDS);
      awaitLeaders(admin, topic);
    }
  }

  /** A producer that finds a new partition not led yet may never recover its sequence. */
  private void awaitLeaders(Admin admin, String topic) throws Exception {
    Map<TopicPartition, OffsetSpec> all = new HashMap<>();
    for (int p = 0; p < partitions; p++) {
      all.put(new TopicPartition(topic, p), OffsetSpec.latest());
    }
    admin.listOffsets(all).all().get(60, TimeUnit.SECONDS);
  }

  void delete(Contender.Running broker, String topic) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      admin.deleteTopics(List.of(topic)).all().get(60, TimeUnit.SECONDS);
    }
  }

  /** Produces so many bytes of values with acks=all, idempotent, as fast as it goes. */
  void produce(Contender.Running broker, String topic, long bytes) throws Exception {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("key.serializer", ByteArraySerializer.class.getName());
    properties.put("value.serializer", ByteArraySerializer.class.getName());
    properties.put("acks", "all");
    properties.put("linger.ms", "5");
    properties.put("batch.size", "65536");
    properties.put("compression.type", codec);
    byte[] value = new byte[recordBytes];
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(42);
    random.nextBytes(value);
    AtomicReference<Exception> failure = new AtomicReference<>();
    try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(properties)) {
      for (long sent = 0, n = 0; sent < bytes; sent += recordBytes, n++) {
        var unused =
            producer.send(
                new ProducerRecord<>(topic, (int) (n % partitions), null, value),
                (m, e) -> {
                  if (e != null) {
                    failure.set(e);
                  }
                });
      }
      producer.flush();
    }
    if (failure.get() != null) {
      throw failure.get();
    }
  }

  /** Consumes everything from the beginning, once. */
  long consume(Contender.Running broker, String topic) {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", broker.bootstrap());
    properties.put("key.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("value.deserializer", ByteArrayDeserializer.class.getName());
    properties.put("auto.offset.reset", "earliest");
    properties.put("enable.auto.commit", "false");
    properties.put("max.poll.records", "5000");
    try (KafkaConsumer<byte[], byte[]> consumer = new KafkaConsumer<>(properties)) {
      List<TopicPartition> all =
          java.util.stream.IntStream.range(0, partitions)
              .mapToObj(p -> new TopicPartition(topic, p))
              .toList();
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Map<TopicPartition, Long> ends = new HashMap<>(consumer.endOffsets(all));
      long wanted = ends.values().stream().mapToLong(Long::longValue).sum();
      long bytes = 0;
      for (long seen = 0; seen < wanted; ) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(POLL)) {
          seen++;
          bytes += record.serializedValueSize();
        }
      }
      return bytes;
    }
  }
}

package io.strandline.tests.fault;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** A topic of many partitions, each written a little, whose segments are sealed by their age. */
final class ManyPartitions implements AutoCloseable {
  private static final String TOPIC = "many";
  private static final int RECORDS_PER_SECOND = 100;
  private static final int SEGMENT_MS = 30_000;

  private final String bootstrap;
  private final int partitions;
  private final AtomicLongArray acknowledged;
  private final ConcurrentLinkedQueue<Exception> failures = new ConcurrentLinkedQueue<>();
  private final Thread thread = new Thread(this::write, "many");
  private volatile boolean stopped;

  /**
   * @param partitions 0 for nothing at all
   */
  ManyPartitions(String bootstrap, int partitions) throws Exception {
    this.bootstrap = bootstrap;
    this.partitions = partitions;
    this.acknowledged = new AtomicLongArray(Math.max(1, partitions));
    if (partitions > 0) {
      try (Admin admin = Topics.admin(bootstrap)) {
        NewTopic topic = new NewTopic(TOPIC, Optional.of(partitions), Optional.empty());
        topic.configs(
            Map.of("segment.ms", Integer.toString(SEGMENT_MS), "local.retention.bytes", "1"));
        admin.createTopics(List.of(topic)).all().get(120, TimeUnit.SECONDS);
      }
      thread.start();
    }
  }

  private void write() {
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("acks", "all");
    try (var producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      for (long i = 0; !stopped; i++) {
        int to = (int) (i % partitions);
        byte[] value = ByteBuffer.allocate(1_000).putLong(i / partitions).array();
        var unused =
            producer.send(
                new ProducerRecord<>(TOPIC, to, null, value),
                (metadata, thrown) -> {
                  if (thrown != null) {
                    failures.add(thrown);
                  } else {
                    acknowledged.incrementAndGet(to);
                  }
                });
        LockSupport.parkNanos(1_000_000_000L / RECORDS_PER_SECOND);
      }
    }
  }

  /** Reads all of it: each partition's numbers, in order, none missing. */
  void readAll() {
    if (partitions == 0) {
      return;
    }
    assertThat(failures).isEmpty();
    Properties properties = new Properties();
    properties.put("bootstrap.servers", bootstrap);
    properties.put("enable.auto.commit", "false");
    long[] next = new long[partitions];
    try (var consumer =
        new KafkaConsumer<>(properties, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
      List<TopicPartition> all =
          IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(TOPIC, p)).toList();
      consumer.assign(all);
      consumer.seekToBeginning(all);
      Waiting.polling(
          "all of many partitions",
          () -> {
            for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(200))) {
              long number = ByteBuffer.wrap(record.value()).getLong();
              if (number != next[record.partition()]++) {
                throw new AssertionError(record + " has " + number);
              }
            }
            return IntStream.range(0, partitions).allMatch(p -> next[p] >= acknowledged.get(p));
          });
    }
    System.out.println(
        "OUTAGE many: " + IntStream.range(0, partitions).mapToLong(p -> next[p]).sum());
  }

  @Override
  public void close() throws InterruptedException {
    stopped = true;
    thread.join();
  }
}

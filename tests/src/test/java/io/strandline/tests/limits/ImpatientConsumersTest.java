package io.strandline.tests.limits;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.process.BrokerProcess;
import io.strandline.tiering.store.s3.HttpS3;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Consumers of many partitions of history, a store that is slow, and memory for four chunks: most
 * reads are given up before it is their turn, and asked for again. What is loaded must be read.
 */
@Timeout(value = 5, unit = TimeUnit.MINUTES)
class ImpatientConsumersTest {
  private static final int PARTITIONS = 64;
  private static final int CONSUMERS = 2;
  private static final long LATE_MS = 300;
  private static final int RECORD_BYTES = 100_000;

  /** A partition's first segment is full, and there is another. */
  private static final int RECORDS = 12;

  private static final long ENOUGH_BYTES = 16L << 20;

  @TempDir Path dir;

  @Test
  void whatIsLoadedIsReadAndNothingIsLeftInTheLine() throws Exception {
    ExecutorService threads = Executors.newCachedThreadPool();
    try (HttpS3 store = new HttpS3();
        BrokerProcess broker =
            BrokerProcess.start(
                dir,
                Map.of(
                    "strandline.object.store",
                    store.uri(),
                    "strandline.cache.memory.bytes",
                    "8388608"),
                Map.of("AWS_ACCESS_KEY_ID", "any", "AWS_SECRET_ACCESS_KEY", "any"))) {
      write(broker);
      long released = (long) PARTITIONS * 9 * RECORD_BYTES;
      await(() -> broker.metric("strandline_tiering_released_bytes_total") > released);
      store.late(LATE_MS);
      long beganNanos = System.nanoTime();
      List<AtomicLong> bytes = new ArrayList<>();
      List<CompletableFuture<?>> ends = new ArrayList<>();
      AtomicBoolean over = new AtomicBoolean();
      for (int i = 0; i < CONSUMERS; i++) {
        AtomicLong mine = new AtomicLong();
        bytes.add(mine);
        ends.add(CompletableFuture.runAsync(() -> consume(broker, mine, over), threads));
      }
      double[] waitingMax = {0};
      await(
          () -> {
            double waiting = broker.metric("strandline_replay_budget_waiting");
            waitingMax[0] = Math.max(waitingMax[0], waiting);
            return bytes.stream().allMatch(read -> read.get() >= ENOUGH_BYTES)
                || ends.stream().anyMatch(CompletableFuture::isDone);
          });
      long tookMs = (System.nanoTime() - beganNanos) / 1_000_000;
      over.set(true);
      CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).join();
      double loaded = broker.metric("strandline_replay_get_bytes_total");
      long read = bytes.stream().mapToLong(AtomicLong::get).sum();
      System.out.printf(
          "%d MiB read in %d ms, %.0f MiB loaded, at most %.0f in the line%n",
          read >> 20, tookMs, loaded / (1 << 20), waitingMax[0]);
      assertThat(waitingMax[0]).isLessThanOrEqualTo(CONSUMERS * PARTITIONS);
      assertThat((double) read).isGreaterThanOrEqualTo(loaded / 2);
      await(() -> broker.metric("strandline_replay_budget_waiting") == 0);
    } finally {
      threads.shutdownNow();
    }
  }

  private static void write(BrokerProcess broker) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", broker.bootstrap()))) {
      NewTopic topic = new NewTopic("history", Optional.of(PARTITIONS), Optional.empty());
      topic.configs(Map.of("segment.bytes", "1048576", "local.retention.bytes", "1"));
      admin.createTopics(List.of(topic)).all().get(1, TimeUnit.MINUTES);
    }
    byte[] noise = new byte[RECORD_BYTES];
    new Random(1).nextBytes(noise);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(
            Map.of("bootstrap.servers", broker.bootstrap()),
            new ByteArraySerializer(),
            new ByteArraySerializer())) {
      for (int i = 0; i < RECORDS * PARTITIONS; i++) {
        var unused = producer.send(new ProducerRecord<>("history", i % PARTITIONS, null, noise));
      }
    }
  }

  /** As any application would. */
  private static void consume(BrokerProcess broker, AtomicLong bytes, AtomicBoolean over) {
    try (KafkaConsumer<byte[], byte[]> consumer =
        new KafkaConsumer<>(
            Map.of("bootstrap.servers", broker.bootstrap(), "auto.offset.reset", "earliest"),
            new ByteArrayDeserializer(),
            new ByteArrayDeserializer())) {
      List<TopicPartition> all =
          IntStream.range(0, PARTITIONS).mapToObj(p -> new TopicPartition("history", p)).toList();
      consumer.assign(all);
      consumer.seekToBeginning(all);
      while (!over.get()) {
        for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofMillis(100))) {
          bytes.addAndGet(record.value().length);
        }
      }
    }
  }

  private interface Condition {
    boolean holds() throws Exception;
  }

  private static void await(Condition condition) throws Exception {
    while (!condition.holds()) {
      LockSupport.parkNanos(50_000_000L);
    }
  }
}

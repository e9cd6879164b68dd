package io.strandline.tests.process;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.serialization.ByteArraySerializer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * A broker that leads many partitions, each with history in the tier and little of it here, starts
 * as if they had none: what it asks of the store does not grow with their number.
 *
 * <p>{@code -Dstart.partitions=10000} for more, {@code -Dstart.dir=…} to keep the data, {@code
 * -Dstart.again=N} for more starts than one; times and memory are printed.
 */
@Timeout(value = 20, unit = TimeUnit.MINUTES)
class ManyPartitionsStartTest {
  private static final int PARTITIONS = Integer.getInteger("start.partitions", 200);
  private static final int A_TOPIC = 1000;
  private static final String REQUESTS = "strandline_store_requests_seconds_count";

  @TempDir Path temporary;

  @Test
  void aStartAsksTheStoreNoMoreForManyPartitions() throws Exception {
    Path dir = Path.of(System.getProperty("start.dir", temporary.toString()));
    Map<String, String> settings = new LinkedHashMap<>();
    settings.put("strandline.object.store", "file:" + dir.resolve("objects"));
    settings.put("strandline.tier.reclaim.ms", "1000");
    settings.put("log.segment.delete.delay.ms", "1000");
    try (BrokerProcess broker = BrokerProcess.start(dir.resolve("broker"), settings)) {
      fill(broker);
      stopAndTell(broker, "after the writes");

      broker.set("strandline.tier.reclaim.ms", "30000");
      for (int i = 0; i < Integer.getInteger("start.again", 1); i++) {
        double atReady = startAndTell(broker, "tier on");
        assertThat(atReady).as("requests when ready").isLessThan(50);
        stopAndTell(broker, "untouched");
      }
    }
  }

  private static void stopAndTell(BrokerProcess broker, String what) throws Exception {
    long begin = System.nanoTime();
    assertThat(broker.stop()).isZero();
    long ms = (System.nanoTime() - begin) / 1_000_000;
    System.out.printf("%s, %d partitions: stopped after %d ms%n", what, PARTITIONS, ms);
  }

  private double startAndTell(BrokerProcess broker, String what) throws Exception {
    long begin = System.nanoTime();
    broker.startAgain();
    long ms = (System.nanoTime() - begin) / 1_000_000;
    double atReady = broker.metric(REQUESTS);
    long residentKb = broker.residentKb();
    System.out.printf(
        "%s, %d partitions: ready after %d ms, %.0f requests, resident %d MiB, %d files open%n",
        what, PARTITIONS, ms, atReady, residentKb >> 10, broker.openFiles());
    for (int i = 0; i < Integer.getInteger("start.watch", 0); i++) {
      LockSupport.parkNanos(TimeUnit.SECONDS.toNanos(1));
      System.out.printf("%d s: %.0f%n", i + 1, broker.metric(REQUESTS));
    }
    return atReady;
  }

  /** A topic at a time, for the sake of open files. */
  private static void fill(BrokerProcess broker) throws Exception {
    for (int first = 0; first < PARTITIONS; first += A_TOPIC) {
      String topic = "history-" + first;
      int count = Math.min(A_TOPIC, PARTITIONS - first);
      create(broker.bootstrap(), topic, count);
      write(broker.bootstrap(), topic, count);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(50)); // so that segment.ms is over
      write(broker.bootstrap(), topic, count);
      int all = first + count;
      awaitMetric(broker, "strandline_tiering_upload_segments_total", all);
      awaitMetric(broker, "strandline_tiering_released_bytes_total", all * 168.0);
    }
  }

  private static void create(String bootstrap, String name, int count) throws Exception {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap))) {
      NewTopic topic = new NewTopic(name, Optional.of(count), Optional.empty());
      topic.configs(Map.of("segment.ms", "1", "local.retention.ms", "1"));
      admin.createTopics(List.of(topic)).all().get(2, TimeUnit.MINUTES);
    }
  }

  /** A record to each. */
  private static void write(String bootstrap, String topic, int count) throws Exception {
    Map<String, Object> properties =
        Map.of("bootstrap.servers", bootstrap, "linger.ms", 50, "delivery.timeout.ms", 300_000);
    try (KafkaProducer<byte[], byte[]> producer =
        new KafkaProducer<>(properties, new ByteArraySerializer(), new ByteArraySerializer())) {
      List<Future<?>> sent = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        sent.add(producer.send(new ProducerRecord<>(topic, i, null, new byte[100])));
      }
      for (Future<?> each : sent) {
        each.get();
      }
    }
  }

  private static void awaitMetric(BrokerProcess broker, String name, double atLeast)
      throws Exception {
    long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(10);
    while (broker.metric(name) < atLeast) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError(
            name + " is " + broker.metric(name) + ", not " + atLeast + "\n" + broker.output());
      }
      LockSupport.parkNanos(100_000_000L);
    }
  }
}

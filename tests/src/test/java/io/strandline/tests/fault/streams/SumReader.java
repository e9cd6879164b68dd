package io.strandline.tests.fault.streams;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.jspecify.annotations.Nullable;

/** Reads the sums that are committed as they come, and remembers them in the order they came. */
final class SumReader implements AutoCloseable {
  private final String bootstrap;
  private final List<TopicPartition> partitions;
  private final Map<String, List<Long>> seen = new TreeMap<>();
  private final AtomicLong told = new AtomicLong();
  private final AtomicReference<@Nullable Exception> failure = new AtomicReference<>();
  private final Thread thread = new Thread(this::run, "sums");
  private volatile boolean stopped;

  SumReader(String bootstrap, int partitions) {
    this.bootstrap = bootstrap;
    this.partitions = partitions(RunningSums.SUMS, partitions);
    thread.setDaemon(true);
    thread.start();
  }

  private static List<TopicPartition> partitions(String topic, int count) {
    return IntStream.range(0, count).mapToObj(p -> new TopicPartition(topic, p)).toList();
  }

  private void run() {
    try (var consumer =
        consumer(bootstrap, IsolationLevel.READ_COMMITTED, new StringDeserializer())) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      while (!stopped) {
        for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(100))) {
          add(seen, record.key(), Long.valueOf(record.value()));
          told.incrementAndGet();
        }
      }
    } catch (RuntimeException thrown) {
      failure.set(thrown);
    }
  }

  private static void add(Map<String, List<Long>> sums, String account, long sum) {
    sums.computeIfAbsent(account, any -> new ArrayList<>()).add(sum);
  }

  long told() {
    return told.get();
  }

  void check() {
    if (failure.get() != null) {
      throw new AssertionError("the reader failed", failure.get());
    }
  }

  /** All that it was given, by account, in order. */
  Map<String, List<Long>> finish() throws InterruptedException {
    stopped = true;
    thread.join();
    check();
    return seen;
  }

  /** All values of a topic that are there for readers of this isolation now, by key, in order. */
  static <V extends Object> Map<String, List<Long>> all(
      String bootstrap, String topic, IsolationLevel isolation, Deserializer<V> values) {
    Map<String, List<Long>> all = new TreeMap<>();
    try (KafkaConsumer<String, V> consumer = consumer(bootstrap, isolation, values)) {
      List<TopicPartition> partitions = partitions(topic, consumer.partitionsFor(topic).size());
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
      while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
        consumer
            .poll(Duration.ofMillis(100))
            .forEach(record -> add(all, record.key(), Long.parseLong("" + record.value())));
      }
    }
    return all;
  }

  private static <V extends Object> KafkaConsumer<String, V> consumer(
      String bootstrap, IsolationLevel isolation, Deserializer<V> values) {
    Map<String, Object> settings = new HashMap<>();
    settings.put("bootstrap.servers", bootstrap);
    settings.put("isolation.level", isolation.toString().toLowerCase(Locale.ROOT));
    settings.put("request.timeout.ms", 5_000);
    settings.put("default.api.timeout.ms", 60_000);
    settings.put("reconnect.backoff.max.ms", 200);
    settings.put("auto.offset.reset", "none");
    return new KafkaConsumer<>(settings, new StringDeserializer(), values);
  }

  @Override
  public void close() {
    stopped = true;
  }
}

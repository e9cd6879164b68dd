package io.strandline.tests.fault.exactly;

import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicPartition;

/**
 * Reads all partitions as records come, and remembers what it was given in which order. When it is
 * stopped it reads on to where the ends are then.
 */
final class LiveReader extends Client {
  private static final long PATIENCE_NANOS = TimeUnit.MINUTES.toNanos(2);

  private final String bootstrap;
  private final List<TopicPartition> partitions;
  private final IsolationLevel isolation;
  private final Map<TopicPartition, List<Seen>> seen = new HashMap<>();

  LiveReader(
      String name,
      String bootstrap,
      List<TopicPartition> partitions,
      IsolationLevel isolation,
      Ledger ledger) {
    super(name, ledger);
    this.bootstrap = bootstrap;
    this.partitions = partitions;
    this.isolation = isolation;
  }

  @Override
  void run() {
    try (KafkaConsumer<String, String> consumer = consumer(bootstrap, isolation, "")) {
      consumer.assign(partitions);
      while (!stopped()) {
        add(consumer, seen);
      }
      toTheEnds(consumer, partitions, seen);
    }
  }

  private static void toTheEnds(
      KafkaConsumer<String, String> consumer,
      List<TopicPartition> partitions,
      Map<TopicPartition, List<Seen>> seen) {
    Map<TopicPartition, Long> ends = consumer.endOffsets(partitions);
    long deadline = System.nanoTime() + PATIENCE_NANOS;
    while (partitions.stream().anyMatch(p -> consumer.position(p) < ends.get(p))) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("a reader does not come to the ends " + ends);
      }
      add(consumer, seen);
    }
  }

  private static void add(
      KafkaConsumer<String, String> consumer, Map<TopicPartition, List<Seen>> seen) {
    for (ConsumerRecord<String, String> record : consumer.poll(Duration.ofMillis(200))) {
      seen.computeIfAbsent(
              new TopicPartition(record.topic(), record.partition()), p -> new ArrayList<>())
          .add(new Seen(record.offset(), record.value()));
    }
  }

  /** After {@link #join}. */
  History.Reading reading() {
    return new History.Reading(isolation, seen);
  }

  /** All there is for readers of this isolation now. */
  static Map<TopicPartition, List<Seen>> all(
      String bootstrap, List<TopicPartition> partitions, IsolationLevel isolation) {
    Map<TopicPartition, List<Seen>> seen = new HashMap<>();
    try (KafkaConsumer<String, String> consumer = consumer(bootstrap, isolation, "")) {
      consumer.assign(partitions);
      consumer.seekToBeginning(partitions);
      toTheEnds(consumer, partitions, seen);
    }
    return seen;
  }
}

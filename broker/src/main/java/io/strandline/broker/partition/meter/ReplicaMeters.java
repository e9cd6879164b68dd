package io.strandline.broker.partition.meter;

import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;

/**
 * What is told of replicas under Kafka's names: the meters of their topics, {@code
 * kafka.server:type=ReplicaManager} and, for each log, {@code kafka.log:type=Log}. Thread-safe.
 */
public final class ReplicaMeters {
  private final KafkaMeters kafka;
  private final TopicMeters all;
  private final ConcurrentHashMap<String, TopicMeters> topics = new ConcurrentHashMap<>();

  public ReplicaMeters(KafkaMeters kafka) {
    this.kafka = kafka;
    this.all = TopicMeters.ofAll(kafka);
    for (String rate : new String[] {"IsrShrinksPerSec", "IsrExpandsPerSec"}) {
      kafka.rate(
          KafkaName.of("kafka.server", "ReplicaManager", rate),
          rate.contains("Shrinks") ? "shrinks" : "expands");
    }
  }

  /** Of all topics together. */
  public TopicMeters all() {
    return all;
  }

  /** Of one topic. */
  public TopicMeters topic(String name) {
    return topics.computeIfAbsent(name, all::of);
  }

  /** The last replica of the topic has left. */
  public void forget(String topic) {
    TopicMeters gone = topics.remove(topic);
    if (gone != null) {
      gone.remove();
    }
  }

  /** How many replicas there are of a kind, counted when it is asked. */
  public void count(String name, LongSupplier replicas) {
    kafka.gauge(
        KafkaName.of("kafka.server", "ReplicaManager", name), () -> (int) replicas.getAsLong());
  }

  /** How many log directories failed. */
  public void offlineDirectories(Supplier<Integer> directories) {
    kafka.gauge(KafkaName.of("kafka.log", "LogManager", "OfflineLogDirectoryCount"), directories);
  }

  /** Tells of a log until {@link #hide}. */
  public void show(PartitionLog log) {
    gauges(log).forEach((name, value) -> kafka.gauge(named(name, log), value));
  }

  /** Takes away what is told of a log. */
  public void hide(PartitionLog log) {
    gauges(log).keySet().forEach(name -> kafka.remove(named(name, log)));
  }

  private static Map<String, Supplier<?>> gauges(PartitionLog log) {
    return Map.of(
        "Size", log::sizeBytes,
        "NumLogSegments", log::segmentCount,
        "LogStartOffset", log::logStartOffset,
        "LogEndOffset", log::logEndOffset);
  }

  private static KafkaName named(String gauge, PartitionLog log) {
    TopicPartition partition = log.partition().topicPartition();
    return KafkaName.of("kafka.log", "Log", gauge)
        .with("topic", partition.topic())
        .with("partition", partition.partition());
  }
}

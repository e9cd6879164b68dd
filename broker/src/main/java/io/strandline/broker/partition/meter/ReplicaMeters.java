package io.strandline.broker.partition.meter;

import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import io.strandline.broker.observe.kafka.Rate;
import io.strandline.tiering.Backlog;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.DoubleSupplier;
import java.util.function.Function;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;

/**
 * What is told of replicas under Kafka's names: the meters of their topics, {@code
 * kafka.server:type=ReplicaManager} and, for each replica, {@code kafka.log:type=Log} and {@code
 * kafka.cluster:type=Partition}, computed when they are read. Thread-safe.
 */
public final class ReplicaMeters {
  private final KafkaMeters kafka;
  private final TopicMeters all;
  private final ConcurrentHashMap<String, TopicMeters> topics = new ConcurrentHashMap<>();
  private final ConcurrentHashMap<String, Set<TopicIdPartition>> shown = new ConcurrentHashMap<>();
  private final Function<TopicIdPartition, Backlog> backlog;
  private final Rate shrinks;
  private final Rate expands;
  private final Rate refusals;

  /** Without a tier. */
  public ReplicaMeters(KafkaMeters kafka) {
    this(kafka, partition -> Backlog.NONE);
  }

  /**
   * @param backlog of a partition, cheap to ask
   */
  public ReplicaMeters(KafkaMeters kafka, Function<TopicIdPartition, Backlog> backlog) {
    this.kafka = kafka;
    this.backlog = backlog;
    this.all = TopicMeters.ofAll(kafka);
    lags(() -> shown.values().stream().flatMap(Set::stream))
        .forEach((name, value) -> kafka.gauge(lag(name), value));
    this.shrinks = kafka.rate(ofReplicas("IsrShrinksPerSec"), "shrinks");
    this.expands = kafka.rate(ofReplicas("IsrExpandsPerSec"), "expands");
    this.refusals = kafka.rate(ofReplicas("FailedIsrUpdatesPerSec"), "failedUpdates");
  }

  private static KafkaName ofReplicas(String name) {
    return KafkaName.of("kafka.server", "ReplicaManager", name);
  }

  /** Tells Prometheus too of the changes of ISRs. */
  public void bindTo(MeterRegistry meters) {
    Map.of("shrinks", shrinks, "expands", expands, "refusals", refusals)
        .forEach(
            (name, rate) ->
                FunctionCounter.builder("strandline.partition.isr." + name, rate, Rate::count)
                    .register(meters));
  }

  /** The controller agreed to another ISR. */
  public void isrChanged(boolean grew) {
    (grew ? expands : shrinks).mark(1);
  }

  /** The controller did not agree, or did not answer. */
  public void isrRefused() {
    refusals.mark(1);
  }

  /** How the fetchers get on, which copy from other leaders. */
  public void fetchers(LongSupplier lagMax, DoubleSupplier paceMin, IntSupplier failed) {
    Map<String, Supplier<?>> gauges =
        Map.of(
            "MaxLag", lagMax::getAsLong,
            "MinFetchRate", paceMin::getAsDouble,
            "FailedPartitionsCount", failed::getAsInt,
            "DeadThreadCount", () -> 0); // a thread outlives whatever a round throws
    gauges.forEach(
        (name, value) ->
            kafka.gauge(
                KafkaName.of("kafka.server", "ReplicaFetcherManager", name)
                    .with("clientId", "Replica"),
                value));
  }

  /** Of all topics together. */
  public TopicMeters all() {
    return all;
  }

  /** Of one topic. */
  public TopicMeters topic(String name) {
    return topics.computeIfAbsent(name, all::of);
  }

  /** How many replicas there are of a kind, counted when it is asked. */
  public void count(String name, LongSupplier replicas) {
    kafka.gauge(ofReplicas(name), () -> (int) replicas.getAsLong());
  }

  /** How many log directories failed. */
  public void offlineDirectories(Supplier<Integer> directories) {
    kafka.gauge(KafkaName.of("kafka.log", "LogManager", "OfflineLogDirectoryCount"), directories);
  }

  /** Tells of a replica until {@link #hide}. */
  public void show(PartitionLog log, Supplier<Standing> standing) {
    gauges(log, standing).forEach(kafka::gauge);
    String topic = log.partition().topic();
    shown.compute(
        topic,
        (name, before) -> {
          Set<TopicIdPartition> replicas = before == null ? beginTopic(topic) : before;
          replicas.add(log.partition());
          return replicas;
        });
  }

  private Set<TopicIdPartition> beginTopic(String topic) {
    Set<TopicIdPartition> replicas = ConcurrentHashMap.newKeySet();
    lags(replicas::stream)
        .forEach((name, value) -> kafka.gauge(lag(name).with("topic", topic), value));
    return replicas;
  }

  /** Takes away what is told of a replica; with the last one of a topic, all of that. */
  public void hide(PartitionLog log) {
    gauges(log, () -> Standing.notLed(0)).keySet().forEach(kafka::remove);
    shown.computeIfPresent(
        log.partition().topic(),
        (topic, replicas) -> {
          replicas.remove(log.partition());
          if (!replicas.isEmpty()) {
            return replicas;
          }
          endTopic(topic);
          return null;
        });
  }

  private void endTopic(String topic) {
    lags(Stream::empty).keySet().forEach(name -> kafka.remove(lag(name).with("topic", topic)));
    TopicMeters gone = topics.remove(topic);
    if (gone != null) {
      gone.remove();
    }
  }

  private Map<String, Supplier<?>> lags(Supplier<Stream<TopicIdPartition>> replicas) {
    return Map.of(
        "RemoteCopyLagBytes",
        () -> replicas.get().mapToLong(replica -> backlog.apply(replica).bytes()).sum(),
        "RemoteCopyLagSegments",
        () -> replicas.get().mapToLong(replica -> backlog.apply(replica).segments()).sum());
  }

  private static KafkaName lag(String name) {
    return KafkaName.of("kafka.server", "BrokerTopicMetrics", name);
  }

  private static Map<KafkaName, Supplier<?>> gauges(PartitionLog log, Supplier<Standing> now) {
    Map<KafkaName, Supplier<?>> gauges = new HashMap<>();
    Map<String, Supplier<?>> ofLog =
        Map.of(
            "Size", log::sizeBytes,
            "NumLogSegments", log::segmentCount,
            "LogStartOffset", log::logStartOffset,
            "LogEndOffset", log::logEndOffset);
    Map<String, Supplier<?>> ofPartition =
        Map.of(
            "ReplicasCount", () -> now.get().replicas(),
            "InSyncReplicasCount", () -> now.get().inSync(),
            "UnderReplicated", () -> now.get().inSync() < now.get().replicas() ? 1 : 0,
            "UnderMinIsr", () -> now.get().spare() < 0 ? 1 : 0,
            "AtMinIsr", () -> now.get().spare() == 0 ? 1 : 0,
            "LastStableOffsetLag", () -> now.get().unstable());
    String tags = tags(log); // one for all ten
    ofLog.forEach(
        (name, value) -> gauges.put(new KafkaName("kafka.log", "Log", name, tags), value));
    ofPartition.forEach(
        (name, value) ->
            gauges.put(new KafkaName("kafka.cluster", "Partition", name, tags), value));
    return gauges;
  }

  private static String tags(PartitionLog log) {
    TopicPartition partition = log.partition().topicPartition();
    return KafkaName.of("", "", "")
        .with("topic", partition.topic())
        .with("partition", partition.partition())
        .tags();
  }
}

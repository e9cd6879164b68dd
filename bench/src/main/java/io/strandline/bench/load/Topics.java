package io.strandline.bench.load;

import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Makes and removes topics of one broker. */
final class Topics implements AutoCloseable {
  private static final int PATIENCE_SECONDS = 60;
  private static final int RELEASE_SECONDS = 300;
  private static final int TRIES = 100;

  private final Admin admin;

  Topics(String bootstrap) {
    this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
  }

  /** Returns when all partitions are led. */
  void create(String topic, int partitions, Map<String, String> config) throws Exception {
    NewTopic spec = new NewTopic(topic, Optional.of(partitions), Optional.of((short) 1));
    admin.createTopics(List.of(spec.configs(config))).all().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    for (int left = TRIES; ; left--) {
      try {
        offsets(partitions(topic, partitions), OffsetSpec.latest());
        return;
      } catch (ExecutionException e) {
        // A broker of Kafka's tells of a topic before all of it knows.
        if (left == 0 || !(e.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw e;
        }
        TimeUnit.MILLISECONDS.sleep(100);
      }
    }
  }

  /**
   * Waits until every partition keeps by itself less than a third of what it has.
   *
   * @return each partition's first offset that is not in the tier alone
   * @throws TimeoutException if that takes unreasonably long
   */
  Map<TopicPartition, Long> awaitRelease(String topic, int partitions) throws Exception {
    List<TopicPartition> all = partitions(topic, partitions);
    long untilNs = System.nanoTime() + TimeUnit.SECONDS.toNanos(RELEASE_SECONDS);
    while (System.nanoTime() < untilNs) {
      Map<TopicPartition, Long> local = offsets(all, OffsetSpec.earliestLocal());
      Map<TopicPartition, Long> end = offsets(all, OffsetSpec.latest());
      if (all.stream().allMatch(p -> local.getOrDefault(p, 0L) * 3 > end.getOrDefault(p, 0L) * 2)) {
        return local;
      }
      TimeUnit.MILLISECONDS.sleep(200);
    }
    throw new TimeoutException("the broker keeps its closed segments of " + topic);
  }

  private Map<TopicPartition, Long> offsets(List<TopicPartition> partitions, OffsetSpec spec)
      throws Exception {
    return admin
        .listOffsets(partitions.stream().collect(Collectors.toMap(Function.identity(), p -> spec)))
        .all()
        .get(PATIENCE_SECONDS, TimeUnit.SECONDS)
        .entrySet()
        .stream()
        .collect(Collectors.toMap(Map.Entry::getKey, e -> e.getValue().offset()));
  }

  void delete(String topic) throws IOException {
    try {
      admin.deleteTopics(List.of(topic)).all().get(PATIENCE_SECONDS, TimeUnit.SECONDS);
    } catch (ExecutionException | TimeoutException e) {
      throw new IOException("can not delete " + topic, e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  /** A workload's name as a topic's. */
  static String name(String workload) {
    return workload.replaceAll("[^A-Za-z0-9]+", "-");
  }

  static List<TopicPartition> partitions(String topic, int count) {
    return IntStream.range(0, count).mapToObj(p -> new TopicPartition(topic, p)).toList();
  }

  @Override
  public void close() {
    admin.close();
  }
}

package io.strandline.tools.move;

import io.strandline.tools.balance.Broker;
import io.strandline.tools.balance.PartitionState;
import io.strandline.tools.balance.PartitionState.Weight;
import io.strandline.tools.balance.Snapshot;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.ExecutionException;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.DescribeClusterOptions;
import org.apache.kafka.clients.admin.DescribeLogDirsOptions;
import org.apache.kafka.clients.admin.ListTopicsOptions;
import org.apache.kafka.clients.admin.LogDirDescription;
import org.apache.kafka.clients.admin.OffsetSpec;
import org.apache.kafka.clients.admin.PartitionReassignment;
import org.apache.kafka.clients.admin.TopicDescription;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.jspecify.annotations.Nullable;

/**
 * What a cluster tells of itself to any client that may describe it: no metrics have to be
 * collected anywhere, and Apache Kafka's brokers tell the same.
 *
 * <p>A partition's rate is how far its end moved on between two looks, in offsets, times the bytes
 * that an offset takes in its leader's log. Sizes of logs are not compared with each other: they
 * shrink when segments go to the tier. What readers take is told by nobody over the wire.
 */
public final class Survey {
  private final Admin admin;

  public Survey(Admin admin) {
    this.admin = admin;
  }

  /**
   * Where partitions ended.
   *
   * @param nanos when that was, by a clock that only counts
   */
  public record Ends(long nanos, Map<TopicPartition, Long> offsets) {}

  /** Looks where partitions end now. */
  public Ends ends() throws ExecutionException, InterruptedException {
    return ends(led(topics()));
  }

  private static Set<TopicPartition> led(Collection<TopicDescription> topics) {
    Set<TopicPartition> led = new HashSet<>();
    for (TopicDescription topic : topics) {
      topic.partitions().stream()
          .filter(p -> p.leader() != null)
          .forEach(p -> led.add(new TopicPartition(topic.name(), p.partition())));
    }
    return led;
  }

  private Ends ends(Collection<TopicPartition> partitions) throws InterruptedException {
    Map<TopicPartition, Long> offsets = Offsets.of(admin, partitions, OffsetSpec.latest());
    return new Ends(System.nanoTime(), offsets);
  }

  /** A snapshot and the ends of its partitions, from which the next one's rates are counted. */
  public record Look(Snapshot snapshot, Ends ends) {}

  /**
   * What lies where now, with rates since an earlier look.
   *
   * @throws ExecutionException if the cluster cannot be described; a broker that cannot tell of its
   *     log directories counts as one with empty ones
   */
  public Look since(Ends before) throws ExecutionException, InterruptedException {
    Collection<TopicDescription> topics = topics();
    Map<TopicPartition, PartitionReassignment> moving =
        admin.listPartitionReassignments().reassignments().get();
    Map<Integer, Broker> brokers = brokers(topics);
    Disks disks = Disks.of(admin, live(brokers));
    disks.cordoned().forEach(id -> brokers.computeIfPresent(id, (any, b) -> cordoned(b)));
    Set<TopicPartition> led = led(topics);
    Ends now = ends(led);
    Map<TopicPartition, Long> localStarts = Offsets.of(admin, led, OffsetSpec.earliestLocal());
    Map<TopicPartition, Long> tiered = Offsets.of(admin, led, OffsetSpec.latestTiered());
    Sizes sizes = new Sizes(disks, before, now, localStarts, tiered);
    List<PartitionState> states = new ArrayList<>();
    for (TopicDescription topic : topics) {
      for (TopicPartitionInfo info : topic.partitions()) {
        TopicPartition partition = new TopicPartition(topic.name(), info.partition());
        states.add(state(partition, info, moving.get(partition), sizes.of(topic, info, partition)));
      }
    }
    return new Look(new Snapshot(List.copyOf(brokers.values()), states), now);
  }

  private Collection<TopicDescription> topics() throws ExecutionException, InterruptedException {
    Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    Map<String, TopicDescription> found = new TreeMap<>();
    for (var answer : admin.describeTopics(names).topicNameValues().entrySet()) {
      try {
        found.put(answer.getKey(), answer.getValue().get());
      } catch (ExecutionException deleted) {
        if (!(deleted.getCause() instanceof UnknownTopicOrPartitionException)) {
          throw deleted;
        }
      }
    }
    return found.values();
  }

  /** Those that are registered, and those that only replicas tell of. */
  private Map<Integer, Broker> brokers(Collection<TopicDescription> topics)
      throws ExecutionException, InterruptedException {
    Map<Integer, Broker> brokers = new TreeMap<>();
    Collection<Node> nodes =
        admin
            .describeCluster(new DescribeClusterOptions().includeFencedBrokers(true))
            .nodes()
            .get();
    for (Node node : nodes) {
      String rack = node.rack() == null ? "" : node.rack();
      brokers.put(node.id(), new Broker(node.id(), rack, !node.isFenced(), false, false));
    }
    for (TopicDescription topic : topics) {
      for (TopicPartitionInfo partition : topic.partitions()) {
        for (Node replica : partition.replicas()) {
          brokers.putIfAbsent(replica.id(), new Broker(replica.id(), "", false, false, false));
        }
      }
    }
    return brokers;
  }

  private static Set<Integer> live(Map<Integer, Broker> brokers) {
    return brokers.values().stream()
        .filter(Broker::alive)
        .map(Broker::id)
        .collect(Collectors.toSet());
  }

  private static Broker cordoned(Broker broker) {
    return new Broker(broker.id(), broker.rack(), broker.alive(), broker.draining(), true);
  }

  /**
   * What a partition will be. Both were asked for one after the other: a reassignment that began in
   * between says itself what replicas it leaves, of which the description may know none.
   */
  static PartitionState state(
      TopicPartition partition,
      TopicPartitionInfo info,
      @Nullable PartitionReassignment moving,
      Weight weight) {
    List<Integer> replicas = new ArrayList<>();
    if (moving == null) {
      info.replicas().forEach(replica -> replicas.add(replica.id()));
    } else {
      replicas.addAll(moving.replicas());
      replicas.removeAll(moving.removingReplicas());
    }
    return new PartitionState(
        partition,
        replicas,
        info.leader() == null ? -1 : info.leader().id(),
        info.isr().stream().map(Node::id).filter(replicas::contains).collect(Collectors.toSet()),
        weight,
        moving != null);
  }

  /** What lies on the disks of brokers. */
  record Disks(Map<Integer, Map<TopicPartition, Long>> bytes, Set<Integer> cordoned) {
    private static final int TIMEOUT_MS = 15_000;

    static Disks of(Admin admin, Set<Integer> brokers) throws InterruptedException {
      Map<Integer, Map<TopicPartition, Long>> bytes = new HashMap<>();
      Set<Integer> cordoned = new HashSet<>();
      // One that has just died is not waited for as long as a client would.
      DescribeLogDirsOptions soon = new DescribeLogDirsOptions().timeoutMs(TIMEOUT_MS);
      for (var answer : admin.describeLogDirs(brokers, soon).descriptions().entrySet()) {
        Map<TopicPartition, Long> there = new HashMap<>();
        bytes.put(answer.getKey(), there);
        try {
          Collection<LogDirDescription> directories = answer.getValue().get().values();
          for (LogDirDescription directory : directories) {
            directory.replicaInfos().forEach((p, replica) -> there.put(p, replica.size()));
          }
          if (!directories.isEmpty()
              && directories.stream().allMatch(LogDirDescription::isCordoned)) {
            cordoned.add(answer.getKey());
          }
        } catch (ExecutionException unknown) {
          // It has just gone, or its disks have.
        }
      }
      return new Disks(bytes, cordoned);
    }

    long of(int broker, TopicPartition partition) {
      return bytes.getOrDefault(broker, Map.of()).getOrDefault(partition, 0L);
    }
  }

  /** What of partitions can be told from offsets and sizes. */
  private record Sizes(
      Disks disks,
      Ends before,
      Ends now,
      Map<TopicPartition, Long> localStarts,
      Map<TopicPartition, Long> tiered) {
    Weight of(TopicDescription topic, TopicPartitionInfo info, TopicPartition partition) {
      Long end = now.offsets().get(partition);
      if (info.leader() == null || end == null) {
        return Weight.NONE;
      }
      long bytes = disks.of(info.leader().id(), partition);
      long start = Math.min(end, localStarts.getOrDefault(partition, 0L));
      double bytesPerOffset = end == start ? 0 : (double) bytes / (end - start);
      double seconds = (now.nanos() - before.nanos()) / 1e9;
      long grown = Math.max(0, end - before.offsets().getOrDefault(partition, end));
      // The newest tiered offset is -1 without a tier. Internal topics are always copied whole.
      long copiedFrom =
          topic.isInternal() ? start : Math.max(start, tiered.getOrDefault(partition, -1L) + 1);
      return new Weight(
          seconds > 0 ? grown * bytesPerOffset / seconds : 0,
          bytes,
          Math.round(Math.max(0, end - copiedFrom) * bytesPerOffset));
    }
  }
}

package io.strandline.tests.cluster;

import io.strandline.tests.fault.Waiting;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewPartitionReassignment;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.common.ElectionType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.TopicPartitionInfo;
import org.apache.kafka.common.errors.ElectionNotNeededException;

/** Topics of a cluster, and who leads and holds them as the controller tells through any broker. */
public final class ClusterTopics {
  private ClusterTopics() {}

  /** Makes a topic whose partitions lie where the lists of brokers say, and waits for leaders. */
  public static void create(
      TestCluster cluster,
      String topic,
      Map<Integer, List<Integer>> replicas,
      Map<String, String> configs)
      throws Exception {
    cluster
        .admin()
        .createTopics(List.of(new NewTopic(topic, replicas).configs(configs)))
        .all()
        .get(60, TimeUnit.SECONDS);
    replicas.forEach(
        (partition, brokers) ->
            awaitLeader(cluster, new TopicPartition(topic, partition), Set.copyOf(brokers)));
  }

  /** Moves a partition to these brokers, the first of which then leads it, and waits for that. */
  public static void move(TestCluster cluster, TopicPartition partition, Integer... brokers)
      throws Exception {
    cluster
        .admin()
        .alterPartitionReassignments(
            Map.of(partition, Optional.of(new NewPartitionReassignment(List.of(brokers)))))
        .all()
        .get(30, TimeUnit.SECONDS);
    Waiting.until(
        partition + " on " + List.of(brokers),
        () ->
            describe(cluster, partition).replicas().stream()
                .map(Node::id)
                .toList()
                .equals(List.of(brokers)));
    if (leader(cluster, partition) != brokers[0]) {
      electPreferred(cluster, partition);
      awaitLeader(cluster, partition, Set.of(brokers[0]));
    }
  }

  /** The broker that was asked who leads may not have heard yet what the controller did already. */
  private static void electPreferred(TestCluster cluster, TopicPartition partition)
      throws Exception {
    try {
      cluster.admin().electLeaders(ElectionType.PREFERRED, Set.of(partition)).all().get();
    } catch (ExecutionException failed) {
      if (!(failed.getCause() instanceof ElectionNotNeededException)) {
        throw failed;
      }
    }
  }

  /** As the brokers know it now. */
  public static TopicPartitionInfo describe(TestCluster cluster, TopicPartition partition)
      throws Exception {
    return describe(cluster.admin(), partition);
  }

  private static TopicPartitionInfo describe(Admin admin, TopicPartition partition)
      throws Exception {
    return admin
        .describeTopics(List.of(partition.topic()))
        .topicNameValues()
        .get(partition.topic())
        .get(30, TimeUnit.SECONDS)
        .partitions()
        .get(partition.partition());
  }

  /** The leader's id, -1 without one. */
  public static int leader(TestCluster cluster, TopicPartition partition) throws Exception {
    return leader(cluster.admin(), partition);
  }

  public static int leader(Admin admin, TopicPartition partition) throws Exception {
    Node leader = describe(admin, partition).leader();
    return leader == null ? -1 : leader.id();
  }

  /** The ids of the replicas in sync. */
  public static Set<Integer> inSync(TestCluster cluster, TopicPartition partition)
      throws Exception {
    return inSync(cluster.admin(), partition);
  }

  static Set<Integer> inSync(Admin admin, TopicPartition partition) throws Exception {
    return describe(admin, partition).isr().stream().map(Node::id).collect(Collectors.toSet());
  }

  /** Waits until one of these leads it. */
  public static void awaitLeader(
      TestCluster cluster, TopicPartition partition, Set<Integer> brokers) {
    awaitLeader(cluster.admin(), partition, brokers);
  }

  /** The same in a cluster that is not only ours. */
  public static void awaitLeader(Admin admin, TopicPartition partition, Set<Integer> brokers) {
    Waiting.until(
        "a leader of " + partition + " among " + brokers,
        () -> brokers.contains(leader(admin, partition)));
  }

  /** Asks for the partition to lie on these brokers; does not wait for it. */
  public static void reassign(Admin admin, TopicPartition partition, List<Integer> replicas)
      throws Exception {
    admin
        .alterPartitionReassignments(
            Map.of(partition, Optional.of(new NewPartitionReassignment(replicas))))
        .all()
        .get(30, TimeUnit.SECONDS);
  }

  /** Waits until exactly these have it, all in sync. */
  public static void awaitMoved(Admin admin, TopicPartition partition, Set<Integer> brokers) {
    Waiting.until(
        partition + " on " + brokers,
        () -> {
          TopicPartitionInfo now = describe(admin, partition);
          return now.isr().stream().map(Node::id).collect(Collectors.toSet()).equals(brokers)
              && now.replicas().size() == brokers.size();
        });
  }

  /** Waits until exactly these are in sync. */
  public static void awaitInSync(
      TestCluster cluster, TopicPartition partition, Set<Integer> brokers) {
    awaitInSync(cluster.admin(), partition, brokers);
  }

  /** The same in a cluster that is not only ours. */
  public static void awaitInSync(Admin admin, TopicPartition partition, Set<Integer> brokers) {
    Waiting.until(
        partition + " in sync on " + brokers, () -> inSync(admin, partition).equals(brokers));
  }

  /** Waits until exactly these brokers are unfenced. */
  public static void awaitLive(TestCluster cluster, Set<Integer> brokers) {
    Waiting.until(
        "live brokers " + brokers,
        () ->
            cluster.admin().describeCluster().nodes().get(10, TimeUnit.SECONDS).stream()
                .map(Node::id)
                .collect(Collectors.toSet())
                .equals(brokers));
  }

  /** Settings of a topic that keeps all its history, most of it in the tier alone, soon. */
  public static Map<String, String> tiered(int segmentBytes, int localBytes) {
    return Map.of(
        "segment.bytes",
        Integer.toString(segmentBytes),
        "local.retention.bytes",
        Integer.toString(localBytes),
        "retention.bytes",
        "-1",
        "file.delete.delay.ms",
        "0");
  }
}

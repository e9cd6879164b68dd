package io.strandline.broker.history;

import io.strandline.broker.control.ClusterView;
import java.util.List;
import java.util.Optional;
import java.util.function.Predicate;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.Errors;

/**
 * What clients are told that come by a listener for replay: one of the replay brokers that live
 * leads each partition, in the epoch of the true leader. By rendezvous hashing (Thaler and
 * Ravishankar, 1998) all brokers name the same, and a replay broker that comes or goes moves only
 * what is or was its share.
 *
 * <p>Other brokers may have that listener too, so that clients find their coordinators there: some
 * ask any broker that they know for metadata, and would hear of the true leaders by another.
 */
public final class ReplayBrokers {
  private final String brokersListener;
  private final Predicate<String> listeners;

  /**
   * @param brokersListener which replay brokers alone do not have
   * @param listeners whether a listener of this broker is for replay
   */
  public ReplayBrokers(String brokersListener, Predicate<String> listeners) {
    this.brokersListener = brokersListener;
    this.listeners = listeners;
  }

  /** Of a broker that has nothing to do with replay brokers. */
  public static ReplayBrokers none() {
    return new ReplayBrokers("", listener -> false);
  }

  /** Whether clients that come by this listener are told of replay brokers, and of no leaders. */
  public boolean toldBy(String listener) {
    return listeners.test(listener);
  }

  private List<Node> live(ClusterView view, String listener) {
    return view.brokers(listener).stream()
        .filter(node -> view.broker(node.id(), brokersListener).isEmpty())
        .toList();
  }

  /** The replay broker that clients shall read this partition from; empty if none lives. */
  static Optional<Node> of(Uuid topic, int partition, List<Node> brokers) {
    Node best = null;
    long most = 0;
    for (Node broker : brokers) {
      long weight = weight(topic, partition, broker.id());
      if (best == null || weight > most || (weight == most && broker.id() < best.id())) {
        best = broker;
        most = weight;
      }
    }
    return Optional.ofNullable(best);
  }

  /**
   * Well mixed (Stafford's variant 13 of MurmurHash3's finalizer): neighbours get unlike brokers.
   */
  private static long weight(Uuid topic, int partition, int broker) {
    long x = topic.getMostSignificantBits() ^ Long.rotateLeft(topic.getLeastSignificantBits(), 32);
    x = mixed(x + partition);
    return mixed(x ^ ((long) broker << 32));
  }

  private static long mixed(long x) {
    long y = (x ^ (x >>> 30)) * 0xbf58476d1ce4e5b9L;
    long z = (y ^ (y >>> 27)) * 0x94d049bb133111ebL;
    return z ^ (z >>> 31);
  }

  /** What clients are told of a partition, in whichever words. */
  private record Told(Errors error, int leader, List<Integer> replicas) {}

  private static Told told(Uuid topic, int partition, List<Node> brokers) {
    return of(topic, partition, brokers)
        .map(chosen -> new Told(Errors.NONE, chosen.id(), List.of(chosen.id())))
        .orElseGet(() -> new Told(Errors.LEADER_NOT_AVAILABLE, -1, List.of()));
  }

  /**
   * Has replay brokers lead these partitions if the client wants to replay.
   *
   * @param listener by which it came
   */
  public void lead(List<MetadataResponseTopic> topics, ClusterView view, String listener) {
    if (!toldBy(listener)) {
      return;
    }
    List<Node> brokers = live(view, listener);
    for (MetadataResponseTopic topic : topics) {
      for (var partition : topic.partitions()) {
        Told told = told(topic.topicId(), partition.partitionIndex(), brokers);
        partition
            .setErrorCode(told.error().code())
            .setLeaderId(told.leader())
            .setReplicaNodes(told.replicas())
            .setIsrNodes(told.replicas())
            .setOfflineReplicas(List.of());
      }
    }
  }

  /** The same in the words of DescribeTopicPartitions. */
  public void describe(
      Iterable<DescribeTopicPartitionsResponseTopic> topics, ClusterView view, String listener) {
    if (!toldBy(listener)) {
      return;
    }
    List<Node> brokers = live(view, listener);
    for (DescribeTopicPartitionsResponseTopic topic : topics) {
      for (var partition : topic.partitions()) {
        Told told = told(topic.topicId(), partition.partitionIndex(), brokers);
        partition
            .setErrorCode(told.error().code())
            .setLeaderId(told.leader())
            .setReplicaNodes(told.replicas())
            .setIsrNodes(told.replicas())
            .setOfflineReplicas(List.of())
            .setEligibleLeaderReplicas(List.of())
            .setLastKnownElr(List.of());
      }
    }
  }
}

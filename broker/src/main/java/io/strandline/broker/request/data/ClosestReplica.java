package io.strandline.broker.request.data;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.replica.Followers;
import io.strandline.broker.request.Request;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.replica.ClientMetadata;
import org.apache.kafka.common.replica.PartitionView;
import org.apache.kafka.common.replica.ReplicaSelector;
import org.apache.kafka.common.replica.ReplicaView;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * Which replica a client shall read from (KIP-392), as the class of {@code replica.selector.class}
 * says; the leader without one. Only replicas in sync that have what is at the client's offset are
 * offered: any other would send its readers back, and the leader to it, again and again. An offset
 * that nobody has is the leader's to refuse.
 */
record ClosestReplica(ControlPlane control, Optional<ReplicaSelector> selector) {
  /**
   * @throws org.apache.kafka.common.config.ConfigException there is no such class
   */
  static ClosestReplica of(ControlPlane control) {
    String name = control.kafkaConfig().getString("replica.selector.class");
    if (name == null || name.isBlank()) {
      return new ClosestReplica(control, Optional.empty());
    }
    ReplicaSelector made;
    try {
      made = Utils.newInstance(name, ReplicaSelector.class);
    } catch (ClassNotFoundException | KafkaException e) {
      throw new ConfigException("replica.selector.class", name, String.valueOf(e.getMessage()));
    }
    made.configure(control.kafkaConfig().originals());
    return new ClosestReplica(control, Optional.of(made));
  }

  /**
   * Of a partition that is led here.
   *
   * @param offset from which the client reads
   * @return empty when the client is right here
   * @throws org.apache.kafka.common.errors.ApiException FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH,
   *     NOT_LEADER_OR_FOLLOWER, KAFKA_STORAGE_ERROR
   */
  OptionalInt choose(
      Partition partition, OptionalInt leaderEpoch, long offset, Request<FetchRequest> request) {
    if (selector.isEmpty()) {
      return OptionalInt.empty();
    }
    Followers followers = partition.followers(leaderEpoch);
    if (offset < partition.logStartOffset()) {
      return OptionalInt.empty();
    }
    TopicPartition name = partition.id().topicPartition();
    ClusterView view = control.view();
    Map<Integer, Node> nodes = view.replicaEndpoints(name, request.context().listenerName());
    Node here = nodes.get(view.nodeId());
    if (here == null) {
      return OptionalInt.empty();
    }
    ReplicaView leader = new ReplicaView.DefaultReplicaView(here, partition.logEndOffset(), 0);
    Set<ReplicaView> offered = new HashSet<>();
    offered.add(leader);
    for (int replica : followers.state().isr()) {
      Node node = nodes.get(replica);
      OptionalLong end = followers.endFor(replica, offset);
      if (node != null && end.isPresent()) {
        offered.add(new ReplicaView.DefaultReplicaView(node, end.getAsLong(), 0));
      }
    }
    return choose(name, client(request), offered, leader);
  }

  private OptionalInt choose(
      TopicPartition name, ClientMetadata client, Set<ReplicaView> offered, ReplicaView leader) {
    PartitionView choice = new PartitionView.DefaultPartitionView(offered, leader);
    @Nullable ReplicaView chosen =
        selector.flatMap(any -> any.select(name, client, choice)).orElse(null);
    return chosen == null || chosen.equals(leader)
        ? OptionalInt.empty()
        : OptionalInt.of(chosen.endpoint().id());
  }

  private static ClientMetadata client(Request<FetchRequest> request) {
    return new ClientMetadata.DefaultClientMetadata(
        request.body().rackId(),
        request.context().clientId(),
        request.context().clientAddress,
        request.context().principal,
        request.context().listenerName());
  }
}

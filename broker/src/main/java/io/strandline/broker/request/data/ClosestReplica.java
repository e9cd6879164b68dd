package io.strandline.broker.request.data;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.request.Request;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
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
 * says; the leader without one. Only replicas in sync are offered: one that lags would send its
 * readers back again and again.
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
   * @return empty when the client is right here
   */
  OptionalInt choose(Partition partition, Request<FetchRequest> request) {
    String rack = request.body().rackId();
    if (selector.isEmpty() || rack.isEmpty()) {
      return OptionalInt.empty();
    }
    TopicPartition name = partition.id().topicPartition();
    ClusterView view = control.view();
    Optional<PartitionState> state = view.partition(name);
    if (state.isEmpty()) {
      return OptionalInt.empty();
    }
    String listener = request.context().listenerName();
    Map<Integer, Node> nodes = view.replicaEndpoints(name, listener);
    Set<ReplicaView> offered = new HashSet<>();
    ReplicaView leader = null;
    for (int replica : state.get().isr()) {
      Node node = nodes.get(replica);
      if (node != null) {
        boolean here = replica == view.nodeId();
        long end = here ? partition.logEndOffset() : partition.highWatermark();
        ReplicaView one = new ReplicaView.DefaultReplicaView(node, end, 0);
        offered.add(one);
        leader = here ? one : leader;
      }
    }
    return leader == null ? OptionalInt.empty() : choose(name, client(request), offered, leader);
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

package io.strandline.broker.request;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * Who leads the partitions that a client looked for here in vain, and where they listen, so that it
 * need not ask for metadata first (KIP-951). Of one answer; costs nothing while nothing is amiss.
 */
public final class NewLeaders {
  private final ControlPlane control;
  private final Request<?> request;
  private final Map<Integer, Node> nodes = new LinkedHashMap<>();

  public NewLeaders(ControlPlane control, Request<?> request) {
    this.control = control;
    this.request = request;
  }

  /** Where a partition's leader is written. */
  @FunctionalInterface
  public interface Current {
    void is(int leader, int epoch);
  }

  /** Tells the leader of a topic's partition if the error says that the client knows an old one. */
  public void tell(short error, @Nullable String topic, int partition, Current current) {
    if (topic == null
        || (error != Errors.NOT_LEADER_OR_FOLLOWER.code()
            && error != Errors.FENCED_LEADER_EPOCH.code())) {
      return;
    }
    ClusterView view = control.view();
    view.partition(new TopicPartition(topic, partition))
        .filter(known -> known.leader() >= 0)
        .ifPresent(
            known -> {
              current.is(known.leader(), known.leaderEpoch());
              Optional<Node> node = view.broker(known.leader(), request.listener().value());
              node.ifPresent(there -> nodes.put(there.id(), there));
            });
  }

  /** The same of a topic that is named by its id alone, or by its name alone. */
  public void tell(
      short error, Uuid topicId, @Nullable String topic, int partition, Current current) {
    boolean named = topic != null && !topic.isEmpty();
    tell(
        error, named || error == 0 ? topic : control.view().topicName(topicId), partition, current);
  }

  /** Where all leaders listen that were told. */
  public List<Node> nodes() {
    return List.copyOf(nodes.values());
  }
}

package io.strandline.broker.request.group;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.FindCoordinatorResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.FindCoordinatorRequest;
import org.apache.kafka.common.requests.FindCoordinatorRequest.CoordinatorType;
import org.apache.kafka.common.requests.FindCoordinatorResponse;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;

/**
 * FindCoordinator for groups, transactional ids and the state of share groups: the leader of their
 * partition of {@code __consumer_offsets}, {@code __transaction_state} or {@code
 * __share_group_state}, which are created when first asked for.
 */
public final class FindCoordinatorHandler implements Handler<FindCoordinatorRequest> {
  private static final short SHARE_SINCE = 6;

  private final ControlPlane control;
  private final Map<CoordinatorType, Kind> kinds;
  private final Optional<String> otherwise;
  private final Guard guard;

  /**
   * Where the state of a key lies.
   *
   * @param group {@code GroupCoordinator::partitionFor}
   * @param transaction the same of transactional ids
   * @param shareState the same of {@code group:topic id:partition}; fails with
   *     IllegalArgumentException for other keys
   */
  public record Places(
      ToIntFunction<String> group,
      ToIntFunction<String> transaction,
      ToIntFunction<String> shareState) {}

  /**
   * @param otherwise the listener at which clients find their coordinator if it does not have the
   *     one by which they came
   */
  public FindCoordinatorHandler(
      ControlPlane control, Places places, Optional<String> otherwise, Guard guard) {
    this.control = control;
    this.otherwise = otherwise;
    this.guard = guard;
    this.kinds =
        Map.of(
            CoordinatorType.GROUP,
            new Kind(
                Topic.GROUP_METADATA_TOPIC_NAME,
                places.group(),
                ResourceType.GROUP,
                Errors.GROUP_AUTHORIZATION_FAILED),
            CoordinatorType.TRANSACTION,
            new Kind(
                Topic.TRANSACTION_STATE_TOPIC_NAME,
                places.transaction(),
                ResourceType.TRANSACTIONAL_ID,
                Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED),
            CoordinatorType.SHARE,
            new Kind(
                Topic.SHARE_GROUP_STATE_TOPIC_NAME,
                places.shareState(),
                ResourceType.CLUSTER,
                Errors.CLUSTER_AUTHORIZATION_FAILED));
  }

  /**
   * A kind of coordinator.
   *
   * @param topic where its state is
   * @param partition of a key in it
   */
  private record Kind(
      String topic, ToIntFunction<String> partition, ResourceType resource, Errors denied) {}

  /** Where a coordinator is, or why not. */
  private record Found(Errors error, Node node) {
    static Found none(Errors error) {
      return new Found(error, Node.noNode());
    }
  }

  @Override
  public CompletionStage<Reply> handle(Request<FindCoordinatorRequest> request) {
    var asked = request.body().data();
    FindCoordinatorResponseData answer = new FindCoordinatorResponseData();
    if (request.version() < 4) {
      Found found = find(request, asked.keyType(), asked.key());
      answer
          .setErrorCode(found.error.code())
          .setErrorMessage(found.error.message())
          .setNodeId(found.node.id())
          .setHost(found.node.host())
          .setPort(found.node.port());
    } else {
      for (String key : asked.coordinatorKeys()) {
        Found found = find(request, asked.keyType(), key);
        answer
            .coordinators()
            .add(
                new FindCoordinatorResponseData.Coordinator()
                    .setKey(key)
                    .setErrorCode(found.error.code())
                    .setErrorMessage(found.error.message())
                    .setNodeId(found.node.id())
                    .setHost(found.node.host())
                    .setPort(found.node.port()));
      }
    }
    return CompletableFuture.completedFuture(Reply.of(new FindCoordinatorResponse(answer)));
  }

  private Found find(Request<?> request, byte keyType, String key) {
    Kind kind = kind(keyType);
    boolean state = keyType == CoordinatorType.SHARE.id();
    if (kind == null || (state && request.version() < SHARE_SINCE)) {
      return Found.none(Errors.INVALID_REQUEST);
    }
    if (!(state
        ? guard.allowsCluster(request.context(), AclOperation.CLUSTER_ACTION)
        : guard.allows(request.context(), AclOperation.DESCRIBE, kind.resource, key))) {
      return Found.none(kind.denied);
    }
    int index;
    try {
      index = kind.partition.applyAsInt(key);
    } catch (IllegalArgumentException malformed) {
      return Found.none(Errors.INVALID_REQUEST);
    }
    ClusterView view = control.view();
    if (view.partitionCount(kind.topic).isEmpty()) {
      var unused = control.createTopics(Set.of(kind.topic), null); // the client asks again
      return Found.none(Errors.COORDINATOR_NOT_AVAILABLE);
    }
    TopicPartition partition = new TopicPartition(kind.topic, index);
    return at(view, partition, request.listener().value())
        .or(() -> otherwise.flatMap(listener -> at(view, partition, listener)))
        .map(node -> new Found(Errors.NONE, node))
        .orElse(Found.none(Errors.COORDINATOR_NOT_AVAILABLE));
  }

  private static Optional<Node> at(ClusterView view, TopicPartition partition, String listener) {
    return view.leaderEndpoint(partition, listener).filter(node -> !node.isEmpty());
  }

  private @Nullable Kind kind(byte keyType) {
    for (Map.Entry<CoordinatorType, Kind> kind : kinds.entrySet()) {
      if (kind.getKey().id() == keyType) {
        return kind.getValue();
      }
    }
    return null;
  }
}

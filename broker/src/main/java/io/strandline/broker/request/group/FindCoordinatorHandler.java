package io.strandline.broker.request.group;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
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

/**
 * FindCoordinator for groups: the leader of the group's partition of {@code __consumer_offsets},
 * which is created when first asked for. There are no other coordinators yet.
 */
public final class FindCoordinatorHandler implements Handler<FindCoordinatorRequest> {
  private final ControlPlane control;
  private final ToIntFunction<String> partitionOfGroup;
  private final Guard guard;

  /**
   * @param partitionOfGroup {@code GroupCoordinator::partitionFor}
   */
  public FindCoordinatorHandler(
      ControlPlane control, ToIntFunction<String> partitionOfGroup, Guard guard) {
    this.control = control;
    this.partitionOfGroup = partitionOfGroup;
    this.guard = guard;
  }

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
    if (keyType != CoordinatorType.GROUP.id()) {
      return Found.none(Errors.INVALID_REQUEST);
    }
    if (!guard.allowsGroup(request.context(), AclOperation.DESCRIBE, key)) {
      return Found.none(Errors.GROUP_AUTHORIZATION_FAILED);
    }
    String topic = Topic.GROUP_METADATA_TOPIC_NAME;
    ClusterView view = control.view();
    if (view.partitionCount(topic).isEmpty()) {
      var unused = control.createTopics(Set.of(topic), null); // the client asks again
      return Found.none(Errors.COORDINATOR_NOT_AVAILABLE);
    }
    TopicPartition partition = new TopicPartition(topic, partitionOfGroup.applyAsInt(key));
    return view.leaderEndpoint(partition, request.listener().value())
        .filter(node -> !node.isEmpty())
        .map(node -> new Found(Errors.NONE, node))
        .orElse(Found.none(Errors.COORDINATOR_NOT_AVAILABLE));
  }
}

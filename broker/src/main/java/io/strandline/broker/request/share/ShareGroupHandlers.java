package io.strandline.broker.request.share;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.ShareGroupDescribeResponseData;
import org.apache.kafka.common.message.ShareGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ShareGroupDescribeRequest;
import org.apache.kafka.common.requests.ShareGroupDescribeResponse;
import org.apache.kafka.common.requests.ShareGroupHeartbeatRequest;
import org.apache.kafka.common.requests.ShareGroupHeartbeatResponse;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** ShareGroupHeartbeat and ShareGroupDescribe. */
final class ShareGroupHandlers {
  private static final int MEMBER_CHARS_MAX = 36;

  private final GroupCoordinator coordinator;
  private final Guard guard;
  private final BooleanSupplier enabled;

  /**
   * @param enabled whether share groups are switched on
   */
  ShareGroupHandlers(GroupCoordinator coordinator, Guard guard, BooleanSupplier enabled) {
    this.coordinator = coordinator;
    this.guard = guard;
    this.enabled = enabled;
  }

  ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.SHARE_GROUP_HEARTBEAT, (Handler<ShareGroupHeartbeatRequest>) this::heartbeat)
        .add(ApiKeys.SHARE_GROUP_DESCRIBE, (Handler<ShareGroupDescribeRequest>) this::describe);
  }

  private void requireEnabled() {
    if (!enabled.getAsBoolean()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
  }

  private CompletionStage<Reply> heartbeat(Request<ShareGroupHeartbeatRequest> request) {
    requireEnabled();
    var asked = request.body().data();
    guard.requireGroup(request.context(), AclOperation.READ, asked.groupId());
    String member = asked.memberId();
    if (member.isEmpty() || member.length() > MEMBER_CHARS_MAX) {
      throw new InvalidRequestException("Invalid member id in the request.");
    }
    List<String> topics = asked.subscribedTopicNames();
    if (topics != null) {
      guard.requireTopics(request.context(), AclOperation.DESCRIBE, topics);
    }
    return coordinator
        .shareGroupHeartbeat(request.context(), asked)
        .thenApply(answer -> Reply.of(new ShareGroupHeartbeatResponse(answer)));
  }

  private CompletionStage<Reply> describe(Request<ShareGroupDescribeRequest> request) {
    requireEnabled();
    var asked = request.body().data();
    var answer = new ShareGroupDescribeResponseData();
    List<String> allowed = new ArrayList<>();
    for (String group : asked.groupIds()) {
      if (guard.allowsGroup(request.context(), AclOperation.DESCRIBE, group)) {
        allowed.add(group);
      } else {
        answer.groups().add(failed(group, Errors.GROUP_AUTHORIZATION_FAILED));
      }
    }
    return coordinator
        .shareGroupDescribe(request.context(), allowed)
        .thenApply(
            described -> {
              for (DescribedGroup group : described) {
                if (asked.includeAuthorizedOperations()
                    && group.errorCode() == Errors.NONE.code()) {
                  group.setAuthorizedOperations(
                      guard.operations(request.context(), ResourceType.GROUP, group.groupId()));
                }
                answer
                    .groups()
                    .add(
                        showsHiddenTopic(request, group)
                            ? failed(group.groupId(), Errors.TOPIC_AUTHORIZATION_FAILED)
                            : group);
              }
              return Reply.of(new ShareGroupDescribeResponse(answer));
            });
  }

  private boolean showsHiddenTopic(Request<?> request, DescribedGroup group) {
    return group.members().stream()
        .flatMap(member -> member.assignment().topicPartitions().stream())
        .anyMatch(
            topic ->
                !guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic.topicName()));
  }

  private static DescribedGroup failed(String group, Errors error) {
    return new DescribedGroup()
        .setGroupId(group)
        .setErrorCode(error.code())
        .setErrorMessage(error.message());
  }
}

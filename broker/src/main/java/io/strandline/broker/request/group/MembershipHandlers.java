package io.strandline.broker.request.group;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.List;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InconsistentGroupProtocolException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatRequest;
import org.apache.kafka.common.requests.ConsumerGroupHeartbeatResponse;
import org.apache.kafka.common.requests.HeartbeatRequest;
import org.apache.kafka.common.requests.HeartbeatResponse;
import org.apache.kafka.common.requests.JoinGroupRequest;
import org.apache.kafka.common.requests.JoinGroupResponse;
import org.apache.kafka.common.requests.LeaveGroupRequest;
import org.apache.kafka.common.requests.LeaveGroupResponse;
import org.apache.kafka.common.requests.SyncGroupRequest;
import org.apache.kafka.common.requests.SyncGroupResponse;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** Joining, staying in and leaving a group, classic and by KIP-848. */
public final class MembershipHandlers {
  private final GroupCoordinator coordinator;
  private final Guard guard;
  private final BooleanSupplier consumerProtocol;

  /**
   * @param consumerProtocol whether the groups of KIP-848 are switched on
   */
  public MembershipHandlers(
      GroupCoordinator coordinator, Guard guard, BooleanSupplier consumerProtocol) {
    this.coordinator = coordinator;
    this.guard = guard;
    this.consumerProtocol = consumerProtocol;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.JOIN_GROUP, (Handler<JoinGroupRequest>) this::join)
        .add(ApiKeys.SYNC_GROUP, (Handler<SyncGroupRequest>) this::sync)
        .add(ApiKeys.HEARTBEAT, (Handler<HeartbeatRequest>) this::heartbeat)
        .add(ApiKeys.LEAVE_GROUP, (Handler<LeaveGroupRequest>) this::leave)
        .add(
            ApiKeys.CONSUMER_GROUP_HEARTBEAT,
            (Handler<ConsumerGroupHeartbeatRequest>) this::consumerHeartbeat);
  }

  private CompletionStage<Reply> join(Request<JoinGroupRequest> request) {
    requireRead(request, request.body().data().groupId());
    return coordinator
        .joinGroup(request.context(), request.body().data(), BufferSupplier.NO_CACHING)
        .thenApply(answer -> Reply.of(new JoinGroupResponse(answer, request.version())));
  }

  private CompletionStage<Reply> sync(Request<SyncGroupRequest> request) {
    if (!request.body().areMandatoryProtocolTypeAndNamePresent()) {
      throw new InconsistentGroupProtocolException("protocol type and name are mandatory");
    }
    requireRead(request, request.body().data().groupId());
    return coordinator
        .syncGroup(request.context(), request.body().data(), BufferSupplier.NO_CACHING)
        .thenApply(answer -> Reply.of(new SyncGroupResponse(answer)));
  }

  private CompletionStage<Reply> heartbeat(Request<HeartbeatRequest> request) {
    requireRead(request, request.body().data().groupId());
    return coordinator
        .heartbeat(request.context(), request.body().data())
        .thenApply(answer -> Reply.of(new HeartbeatResponse(answer)));
  }

  private CompletionStage<Reply> leave(Request<LeaveGroupRequest> request) {
    requireRead(request, request.body().data().groupId());
    return coordinator
        .leaveGroup(request.context(), request.body().normalizedData())
        .thenApply(answer -> Reply.of(new LeaveGroupResponse(answer, request.version())));
  }

  private CompletionStage<Reply> consumerHeartbeat(Request<ConsumerGroupHeartbeatRequest> request) {
    if (!consumerProtocol.getAsBoolean()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
    var asked = request.body().data();
    requireRead(request, asked.groupId());
    List<String> topics = asked.subscribedTopicNames();
    if (topics != null) {
      guard.requireTopics(request.context(), AclOperation.DESCRIBE, topics);
    }
    return coordinator
        .consumerGroupHeartbeat(request.context(), asked)
        .thenApply(answer -> Reply.of(new ConsumerGroupHeartbeatResponse(answer)));
  }

  private void requireRead(Request<?> request, String group) {
    guard.requireGroup(request.context(), AclOperation.READ, group);
  }
}

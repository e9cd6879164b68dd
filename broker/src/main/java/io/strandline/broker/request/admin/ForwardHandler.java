package io.strandline.broker.request.admin;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;

/**
 * What the controller does: the request travels there whole, with the client's principal, and the
 * answer back. The controller authorizes.
 */
public final class ForwardHandler implements Handler<AbstractRequest> {
  /** Served by forwarding alone. */
  public static final List<ApiKeys> APIS =
      List.of(
          ApiKeys.CREATE_TOPICS,
          ApiKeys.DELETE_TOPICS,
          ApiKeys.CREATE_PARTITIONS,
          ApiKeys.ALTER_PARTITION_REASSIGNMENTS,
          ApiKeys.LIST_PARTITION_REASSIGNMENTS,
          ApiKeys.ELECT_LEADERS,
          ApiKeys.ALTER_USER_SCRAM_CREDENTIALS,
          ApiKeys.CREATE_ACLS,
          ApiKeys.DELETE_ACLS,
          ApiKeys.UPDATE_FEATURES,
          ApiKeys.DESCRIBE_QUORUM,
          ApiKeys.ALTER_CLIENT_QUOTAS,
          ApiKeys.UNREGISTER_BROKER,
          ApiKeys.ADD_RAFT_VOTER,
          ApiKeys.REMOVE_RAFT_VOTER);

  private final ControlPlane control;

  public ForwardHandler(ControlPlane control) {
    this.control = control;
  }

  /** Adds all of {@link #APIS}. */
  public ApiTable.Builder addTo(ApiTable.Builder table) {
    APIS.forEach(api -> table.add(api, this));
    return table;
  }

  @Override
  public CompletionStage<Reply> handle(Request<AbstractRequest> request) {
    return Reply.forwarded(request, control.forward(request.context(), request.copyOfFrame()));
  }
}

package io.strandline.broker.request.share;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DeleteShareGroupStateRequest;
import org.apache.kafka.common.requests.DeleteShareGroupStateResponse;
import org.apache.kafka.common.requests.InitializeShareGroupStateRequest;
import org.apache.kafka.common.requests.InitializeShareGroupStateResponse;
import org.apache.kafka.common.requests.ReadShareGroupStateRequest;
import org.apache.kafka.common.requests.ReadShareGroupStateResponse;
import org.apache.kafka.common.requests.ReadShareGroupStateSummaryRequest;
import org.apache.kafka.common.requests.ReadShareGroupStateSummaryResponse;
import org.apache.kafka.common.requests.WriteShareGroupStateRequest;
import org.apache.kafka.common.requests.WriteShareGroupStateResponse;
import org.apache.kafka.coordinator.share.ShareCoordinator;

/** The state of share groups, for other brokers: who asks must be allowed ClusterAction. */
final class ShareStateHandlers {
  private final ShareCoordinator coordinator;
  private final Guard guard;

  ShareStateHandlers(ShareCoordinator coordinator, Guard guard) {
    this.coordinator = coordinator;
    this.guard = guard;
  }

  ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(
            ApiKeys.INITIALIZE_SHARE_GROUP_STATE,
            (Handler<InitializeShareGroupStateRequest>) this::initialize)
        .add(ApiKeys.READ_SHARE_GROUP_STATE, (Handler<ReadShareGroupStateRequest>) this::read)
        .add(ApiKeys.WRITE_SHARE_GROUP_STATE, (Handler<WriteShareGroupStateRequest>) this::write)
        .add(ApiKeys.DELETE_SHARE_GROUP_STATE, (Handler<DeleteShareGroupStateRequest>) this::delete)
        .add(
            ApiKeys.READ_SHARE_GROUP_STATE_SUMMARY,
            (Handler<ReadShareGroupStateSummaryRequest>) this::summary);
  }

  private CompletionStage<Reply> initialize(Request<InitializeShareGroupStateRequest> request) {
    requireBroker(request);
    return coordinator
        .initializeState(request.context(), request.body().data())
        .thenApply(answer -> Reply.of(new InitializeShareGroupStateResponse(answer)));
  }

  private CompletionStage<Reply> read(Request<ReadShareGroupStateRequest> request) {
    requireBroker(request);
    return coordinator
        .readState(request.context(), request.body().data())
        .thenApply(answer -> Reply.of(new ReadShareGroupStateResponse(answer)));
  }

  private CompletionStage<Reply> write(Request<WriteShareGroupStateRequest> request) {
    requireBroker(request);
    return coordinator
        .writeState(request.context(), request.body().data())
        .thenApply(answer -> Reply.of(new WriteShareGroupStateResponse(answer)));
  }

  private CompletionStage<Reply> delete(Request<DeleteShareGroupStateRequest> request) {
    requireBroker(request);
    return coordinator
        .deleteState(request.context(), request.body().data())
        .thenApply(answer -> Reply.of(new DeleteShareGroupStateResponse(answer)));
  }

  private CompletionStage<Reply> summary(Request<ReadShareGroupStateSummaryRequest> request) {
    requireBroker(request);
    return coordinator
        .readStateSummary(request.context(), request.body().data())
        .thenApply(answer -> Reply.of(new ReadShareGroupStateSummaryResponse(answer)));
  }

  private void requireBroker(Request<?> request) {
    guard.requireCluster(request.context(), AclOperation.CLUSTER_ACTION);
  }
}

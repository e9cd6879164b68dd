package io.strandline.broker.request.admin;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;

/**
 * What the controller does: the request travels there whole, with the client's principal, and the
 * answer back. The controller authorizes.
 *
 * <p>An answer of topics that were made, grown or deleted waits a moment until this broker itself
 * knows of it, so that a client's next question here is not answered as if nothing had happened.
 * Kafka does not wait: its clients try again, others give up.
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

  /** How long an answer is held back at most while the metadata is behind. */
  private static final int BEHIND_MS_MAX = 1_000;

  private final ControlPlane control;
  private final ScheduledExecutorService timer;

  public ForwardHandler(ControlPlane control, ScheduledExecutorService timer) {
    this.control = control;
    this.timer = timer;
  }

  /** Adds all of {@link #APIS}. */
  public ApiTable.Builder addTo(ApiTable.Builder table) {
    APIS.forEach(api -> table.add(api, this));
    return table;
  }

  @Override
  public CompletionStage<Reply> handle(Request<AbstractRequest> request) {
    CompletableFuture<AbstractResponse> answer =
        control.forward(request.context(), request.copyOfFrame());
    return Reply.forwarded(
        request, answer.thenCompose(response -> whenKnown(request.body(), response)));
  }

  private CompletionStage<AbstractResponse> whenKnown(
      AbstractRequest asked, AbstractResponse answer) {
    Predicate<ClusterView> known = ChangedTopics.known(asked, answer);
    if (known.test(control.view())) {
      return CompletableFuture.completedFuture(answer);
    }
    CompletableFuture<ClusterView> seen = control.seen(known);
    Runnable giveUp = () -> seen.complete(control.view());
    ScheduledFuture<?> limit = timer.schedule(giveUp, BEHIND_MS_MAX, TimeUnit.MILLISECONDS);
    return seen.thenApply(
        view -> {
          limit.cancel(false);
          return answer;
        });
  }
}

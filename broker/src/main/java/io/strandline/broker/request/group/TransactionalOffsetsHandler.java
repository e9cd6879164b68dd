package io.strandline.broker.request.group;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestPartition;
import org.apache.kafka.common.message.TxnOffsetCommitRequestData.TxnOffsetCommitRequestTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.TxnOffsetCommitRequest;
import org.apache.kafka.common.requests.TxnOffsetCommitResponse;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/**
 * TxnOffsetCommit: offsets of a group that count once a transaction is committed (KIP-98, KIP-447).
 */
public final class TransactionalOffsetsHandler implements Handler<TxnOffsetCommitRequest> {
  /** The first version whose clients know a coordinator that is loading (KAFKA-7296). */
  private static final short LOADING_SINCE = 2;

  private final ControlPlane control;
  private final GroupCoordinator coordinator;
  private final Guard guard;

  public TransactionalOffsetsHandler(
      ControlPlane control, GroupCoordinator coordinator, Guard guard) {
    this.control = control;
    this.coordinator = coordinator;
    this.guard = guard;
  }

  @Override
  public CompletionStage<Reply> handle(Request<TxnOffsetCommitRequest> request) {
    TxnOffsetCommitRequestData asked = request.body().data();
    authorize(request, asked);
    TxnOffsetCommitResponse.Builder answer = new TxnOffsetCommitResponse.Builder();
    List<TxnOffsetCommitRequestTopic> good = good(request, asked, answer);
    if (good.isEmpty()) {
      return CompletableFuture.completedFuture(Reply.of(answer.build()));
    }
    TxnOffsetCommitRequestData checked = asked.duplicate().setTopics(good);
    return coordinator
        .commitTransactionalOffsets(request.context(), checked, BufferSupplier.NO_CACHING)
        .handle(
            (committed, failure) ->
                failure == null
                    ? answer.merge(committed).build()
                    : request.body().getErrorResponse(Dispatcher.cause(failure)))
        .thenApply(response -> Reply.of(understood(response, request.version())));
  }

  private void authorize(Request<?> request, TxnOffsetCommitRequestData asked) {
    String id = asked.transactionalId();
    if (!guard.allowsTransaction(request.context(), AclOperation.WRITE, id)) {
      throw new TransactionalIdAuthorizationException("not allowed to write as " + id);
    }
    guard.requireGroup(request.context(), AclOperation.READ, asked.groupId());
  }

  private List<TxnOffsetCommitRequestTopic> good(
      Request<?> request,
      TxnOffsetCommitRequestData asked,
      TxnOffsetCommitResponse.Builder answer) {
    ClusterView view = control.view();
    List<TxnOffsetCommitRequestTopic> good = new ArrayList<>();
    for (TxnOffsetCommitRequestTopic topic : asked.topics()) {
      boolean allowed = guard.allowsTopic(request.context(), AclOperation.READ, topic.name());
      TxnOffsetCommitRequestTopic kept = new TxnOffsetCommitRequestTopic().setName(topic.name());
      for (TxnOffsetCommitRequestPartition partition : topic.partitions()) {
        int index = partition.partitionIndex();
        if (!allowed) {
          answer.addPartition(topic.name(), index, Errors.TOPIC_AUTHORIZATION_FAILED);
        } else if (view.partition(new TopicPartition(topic.name(), index)).isEmpty()) {
          answer.addPartition(topic.name(), index, Errors.UNKNOWN_TOPIC_OR_PARTITION);
        } else {
          kept.partitions().add(partition);
        }
      }
      if (!kept.partitions().isEmpty()) {
        good.add(kept);
      }
    }
    return good;
  }

  private static TxnOffsetCommitResponse understood(
      TxnOffsetCommitResponse response, short version) {
    if (version < LOADING_SINCE) {
      response
          .data()
          .topics()
          .forEach(
              topic ->
                  topic
                      .partitions()
                      .forEach(
                          partition -> {
                            if (partition.errorCode()
                                == Errors.COORDINATOR_LOAD_IN_PROGRESS.code()) {
                              partition.setErrorCode(Errors.COORDINATOR_NOT_AVAILABLE.code());
                            }
                          }));
    }
    return response;
  }
}

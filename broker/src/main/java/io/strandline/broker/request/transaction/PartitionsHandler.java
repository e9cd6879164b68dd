package io.strandline.broker.request.transaction;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.TransactionCoordinator;
import io.strandline.broker.transaction.TransactionalProducer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData;
import org.apache.kafka.common.message.AddPartitionsToTxnResponseData.AddPartitionsToTxnResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AddPartitionsToTxnRequest;
import org.apache.kafka.common.requests.AddPartitionsToTxnResponse;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * AddPartitionsToTxn: of one transaction, by a client, up to version 3; of many, by brokers, from
 * version 4 on (KIP-890). If any partition of a transaction may not be added, none is.
 */
final class PartitionsHandler implements Handler<AddPartitionsToTxnRequest> {
  private static final short BROKERS_SINCE = 4;

  /** The first version whose clients know that they were fenced. */
  private static final short FENCED_SINCE = 2;

  private final ControlPlane control;
  private final TransactionCoordinator coordinator;
  private final Guard guard;

  PartitionsHandler(ControlPlane control, TransactionCoordinator coordinator, Guard guard) {
    this.control = control;
    this.coordinator = coordinator;
    this.guard = guard;
  }

  @Override
  public CompletionStage<Reply> handle(Request<AddPartitionsToTxnRequest> request) {
    boolean byClient = request.version() < BROKERS_SINCE;
    if (!byClient && !guard.allowsCluster(request.context(), AclOperation.CLUSTER_ACTION)) {
      throw new ClusterAuthorizationException("for brokers only");
    }
    AddPartitionsToTxnRequest body = byClient ? request.body().normalizeRequest() : request.body();
    Map<String, List<TopicPartition>> partitions = body.partitionsByTransaction();
    List<CompletableFuture<AddPartitionsToTxnResult>> results = new ArrayList<>();
    for (AddPartitionsToTxnTransaction transaction : body.data().transactions()) {
      String id = transaction.transactionalId();
      if (id == null) {
        throw new InvalidRequestException("no transactional id");
      }
      results.add(result(request, body, transaction, partitions.getOrDefault(id, List.of())));
    }
    return CompletableFuture.allOf(results.toArray(CompletableFuture<?>[]::new))
        .thenApply(all -> reply(byClient, results.stream().map(CompletableFuture::join).toList()));
  }

  private static Reply reply(boolean byClient, List<AddPartitionsToTxnResult> results) {
    AddPartitionsToTxnResponseData data = new AddPartitionsToTxnResponseData();
    for (AddPartitionsToTxnResult result : results) {
      if (byClient) {
        data.setResultsByTopicV3AndBelow(result.topicResults());
      } else {
        data.resultsByTransaction().add(result);
      }
    }
    return Reply.of(new AddPartitionsToTxnResponse(data));
  }

  private CompletableFuture<AddPartitionsToTxnResult> result(
      Request<?> request,
      AddPartitionsToTxnRequest body,
      AddPartitionsToTxnTransaction transaction,
      List<TopicPartition> partitions) {
    String id = transaction.transactionalId();
    boolean byClient = request.version() < BROKERS_SINCE;
    if (byClient && !guard.allowsTransaction(request.context(), AclOperation.WRITE, id)) {
      return CompletableFuture.completedFuture(
          body.errorResponseForTransaction(id, Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED));
    }
    Map<TopicPartition, Errors> wrong = wrong(request, partitions, byClient);
    if (!wrong.isEmpty()) {
      partitions.forEach(p -> wrong.putIfAbsent(p, Errors.OPERATION_NOT_ATTEMPTED));
      return CompletableFuture.completedFuture(
          AddPartitionsToTxnResponse.resultForTransaction(id, wrong));
    }
    TransactionalProducer producer =
        new TransactionalProducer(id, transaction.producerId(), transaction.producerEpoch());
    return transaction.verifyOnly()
        ? coordinator
            .verify(producer, new HashSet<>(partitions))
            .thenApply(errors -> AddPartitionsToTxnResponse.resultForTransaction(id, errors))
        : coordinator
            .add(
                producer,
                new HashSet<>(partitions),
                TransactionVersion.transactionVersionForAddPartitionsToTxn(body))
            .thenApply(
                error ->
                    body.errorResponseForTransaction(
                        id, Fenced.as(error, request.version() >= FENCED_SINCE)));
  }

  private Map<TopicPartition, Errors> wrong(
      Request<?> request, List<TopicPartition> partitions, boolean byClient) {
    ClusterView view = control.view();
    Map<TopicPartition, Errors> wrong = new HashMap<>();
    for (TopicPartition tp : partitions) {
      boolean denied =
          byClient
              && (Topic.isInternal(tp.topic())
                  || !guard.allowsTopic(request.context(), AclOperation.WRITE, tp.topic()));
      if (denied) {
        wrong.put(tp, Errors.TOPIC_AUTHORIZATION_FAILED);
      } else if (view.partition(tp).isEmpty()) {
        wrong.put(tp, Errors.UNKNOWN_TOPIC_OR_PARTITION);
      }
    }
    return wrong;
  }
}

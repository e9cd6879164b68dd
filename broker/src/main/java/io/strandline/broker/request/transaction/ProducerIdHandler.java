package io.strandline.broker.request.transaction;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.TransactionCoordinator;
import io.strandline.broker.transaction.TransactionCoordinator.Answer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;

/** InitProducerId for idempotent (KIP-98) and for transactional producers. */
final class ProducerIdHandler implements Handler<InitProducerIdRequest> {
  /** The first version whose clients know that they were fenced. */
  private static final short FENCED_SINCE = 4;

  private final ControlPlane control;
  private final TransactionCoordinator transactions;
  private final Guard guard;

  ProducerIdHandler(ControlPlane control, TransactionCoordinator transactions, Guard guard) {
    this.control = control;
    this.transactions = transactions;
    this.guard = guard;
  }

  @Override
  public CompletionStage<Reply> handle(Request<InitProducerIdRequest> request) {
    InitProducerIdRequest body = request.body();
    String transactionalId = body.data().transactionalId();
    authorize(request.context(), body);
    return (transactionalId == null
            ? idempotent()
            : transactional(transactionalId, body, expected(body)))
        .thenApply(answer -> reply(answer, request.version()));
  }

  private void authorize(RequestContext who, InitProducerIdRequest body) {
    String id = body.data().transactionalId();
    if (id == null) {
      if (!mayWriteAny(who)) {
        throw new ClusterAuthorizationException("not allowed to write idempotently");
      }
    } else if (!guard.allowsTransaction(who, AclOperation.WRITE, id)
        || (body.enable2Pc() && !guard.allowsTransaction(who, AclOperation.TWO_PHASE_COMMIT, id))) {
      throw new TransactionalIdAuthorizationException("not allowed to write as " + id);
    }
  }

  /** As since KIP-679: who may write to any topic may do so idempotently. */
  private boolean mayWriteAny(RequestContext who) {
    return guard.shows(
            who, AclOperation.IDEMPOTENT_WRITE, ResourceType.CLUSTER, Resource.CLUSTER_NAME)
        || guard.allowsAny(who, AclOperation.WRITE, ResourceType.TOPIC);
  }

  private static Optional<ProducerIdAndEpoch> expected(InitProducerIdRequest body) {
    long id = body.data().producerId();
    short epoch = body.data().producerEpoch();
    boolean noId = id == RecordBatch.NO_PRODUCER_ID;
    if (noId != (epoch == RecordBatch.NO_PRODUCER_EPOCH)) {
      throw new InvalidRequestException("a producer id without an epoch, or the reverse");
    }
    return noId ? Optional.empty() : Optional.of(new ProducerIdAndEpoch(id, epoch));
  }

  private CompletableFuture<Answer> idempotent() {
    return control
        .nextProducerId()
        .handle(
            (id, failure) ->
                failure == null
                    ? new Answer(Errors.NONE, id, (short) 0)
                    : new Answer(
                        Dispatcher.error(failure),
                        RecordBatch.NO_PRODUCER_ID,
                        RecordBatch.NO_PRODUCER_EPOCH));
  }

  private CompletableFuture<Answer> transactional(
      String id, InitProducerIdRequest body, Optional<ProducerIdAndEpoch> expected) {
    if (body.keepPreparedTxn()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
    return transactions.init(id, expected, body.data().transactionTimeoutMs(), body.enable2Pc());
  }

  private static Reply reply(Answer answer, short version) {
    return Reply.of(
        new InitProducerIdResponse(
            new InitProducerIdResponseData()
                .setErrorCode(Fenced.as(answer.error(), version >= FENCED_SINCE).code())
                .setProducerId(answer.producerId())
                .setProducerEpoch(answer.epoch())));
  }
}

package io.strandline.broker.request.data;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.InitProducerIdResponseData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.InitProducerIdRequest;
import org.apache.kafka.common.requests.InitProducerIdResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;

/**
 * InitProducerId for idempotent producers (KIP-98). One that names a transaction is refused, with
 * an error that ends its tries: there is no transaction coordinator here.
 */
final class ProducerIdHandler implements Handler<InitProducerIdRequest> {
  private final ControlPlane control;
  private final Guard guard;

  ProducerIdHandler(ControlPlane control, Guard guard) {
    this.control = control;
    this.guard = guard;
  }

  @Override
  public CompletionStage<Reply> handle(Request<InitProducerIdRequest> request) {
    if (request.body().data().transactionalId() != null) {
      return CompletableFuture.completedFuture(failed(Errors.UNSUPPORTED_VERSION));
    }
    if (!mayWrite(request.context())) {
      return CompletableFuture.completedFuture(failed(Errors.CLUSTER_AUTHORIZATION_FAILED));
    }
    return control
        .nextProducerId()
        .handle(
            (id, failure) ->
                failure == null
                    ? Reply.of(
                        new InitProducerIdResponse(
                            new InitProducerIdResponseData()
                                .setProducerId(id)
                                .setProducerEpoch((short) 0)))
                    : failed(Dispatcher.error(failure)));
  }

  /** As since KIP-679: who may write to any topic may do so idempotently. */
  private boolean mayWrite(RequestContext who) {
    return guard.shows(
            who, AclOperation.IDEMPOTENT_WRITE, ResourceType.CLUSTER, Resource.CLUSTER_NAME)
        || guard.allowsAny(who, AclOperation.WRITE, ResourceType.TOPIC);
  }

  private static Reply failed(Errors error) {
    return Reply.of(
        new InitProducerIdResponse(
            new InitProducerIdResponseData()
                .setErrorCode(error.code())
                .setProducerId(RecordBatch.NO_PRODUCER_ID)
                .setProducerEpoch(RecordBatch.NO_PRODUCER_EPOCH)));
  }
}

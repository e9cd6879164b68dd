package io.strandline.broker.request.transaction;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.TransactionCoordinator;
import io.strandline.broker.transaction.TransactionHost;
import io.strandline.broker.transaction.TransactionalProducer;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.TransactionalIdAuthorizationException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.AddOffsetsToTxnResponseData;
import org.apache.kafka.common.message.EndTxnResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AddOffsetsToTxnRequest;
import org.apache.kafka.common.requests.AddOffsetsToTxnResponse;
import org.apache.kafka.common.requests.EndTxnRequest;
import org.apache.kafka.common.requests.EndTxnResponse;
import org.apache.kafka.server.common.TransactionVersion;

/** All that concerns transactions, but for their offsets, which are the groups'. */
public final class TransactionHandlers {
  /** The first version of each API whose clients know that they were fenced. */
  private static final short FENCED_SINCE = 2;

  private final TransactionCoordinator coordinator;
  private final ToIntFunction<String> partitionOfGroup;
  private final Guard guard;
  private final ProducerIdHandler producerIds;
  private final PartitionsHandler partitions;
  private final MarkersHandler markers;
  private final ListingHandlers listing;

  /**
   * @param partitionOfGroup {@code GroupCoordinator::partitionFor}
   */
  public TransactionHandlers(
      ControlPlane control,
      TransactionHost host,
      ToIntFunction<String> partitionOfGroup,
      Guard guard) {
    this.coordinator = host.coordinator();
    this.partitionOfGroup = partitionOfGroup;
    this.guard = guard;
    this.producerIds = new ProducerIdHandler(control, coordinator, guard);
    this.partitions = new PartitionsHandler(control, coordinator, guard);
    this.markers = new MarkersHandler(host.markers(), guard);
    this.listing = new ListingHandlers(coordinator, guard, host.clock());
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    listing.addTo(table);
    return table
        .add(ApiKeys.INIT_PRODUCER_ID, producerIds)
        .add(ApiKeys.ADD_PARTITIONS_TO_TXN, partitions)
        .add(ApiKeys.ADD_OFFSETS_TO_TXN, (Handler<AddOffsetsToTxnRequest>) this::offsets)
        .add(ApiKeys.END_TXN, (Handler<EndTxnRequest>) this::end)
        .add(ApiKeys.WRITE_TXN_MARKERS, markers);
  }

  private CompletionStage<Reply> offsets(Request<AddOffsetsToTxnRequest> request) {
    var asked = request.body().data();
    requireWrite(request, asked.transactionalId());
    guard.requireGroup(request.context(), AclOperation.READ, asked.groupId());
    TopicPartition partition =
        new TopicPartition(
            Topic.GROUP_METADATA_TOPIC_NAME, partitionOfGroup.applyAsInt(asked.groupId()));
    TransactionalProducer producer =
        new TransactionalProducer(
            asked.transactionalId(), asked.producerId(), asked.producerEpoch());
    return coordinator
        .add(producer, Set.of(partition), TransactionVersion.TV_0) // later ones do not ask
        .thenApply(
            error ->
                Reply.of(
                    new AddOffsetsToTxnResponse(
                        new AddOffsetsToTxnResponseData()
                            .setErrorCode(
                                Fenced.as(error, request.version() >= FENCED_SINCE).code()))));
  }

  private CompletionStage<Reply> end(Request<EndTxnRequest> request) {
    var asked = request.body().data();
    requireWrite(request, asked.transactionalId());
    TransactionalProducer producer =
        new TransactionalProducer(
            asked.transactionalId(), asked.producerId(), asked.producerEpoch());
    return coordinator
        .end(
            producer,
            request.body().result(),
            TransactionVersion.transactionVersionForEndTxn(request.body()))
        .thenApply(
            answer ->
                Reply.of(
                    new EndTxnResponse(
                        new EndTxnResponseData()
                            .setErrorCode(
                                Fenced.as(answer.error(), request.version() >= FENCED_SINCE).code())
                            .setProducerId(answer.producerId())
                            .setProducerEpoch(answer.epoch()))));
  }

  private void requireWrite(Request<?> request, String id) {
    if (!guard.allowsTransaction(request.context(), AclOperation.WRITE, id)) {
      throw new TransactionalIdAuthorizationException("not allowed to write as " + id);
    }
  }
}

package io.strandline.broker.request.data;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.log.Appended;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.partition.PendingAppend;
import io.strandline.broker.partition.owner.Wakes;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.NewLeaders;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.PartitionVerification;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.errors.TopicAuthorizationException;
import org.apache.kafka.common.errors.UnknownTopicIdException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.ProduceRequestData.PartitionProduceData;
import org.apache.kafka.common.message.ProduceRequestData.TopicProduceData;
import org.apache.kafka.common.message.ProduceResponseData;
import org.apache.kafka.common.message.ProduceResponseData.BatchIndexAndErrorMessage;
import org.apache.kafka.common.message.ProduceResponseData.NodeEndpoint;
import org.apache.kafka.common.message.ProduceResponseData.PartitionProduceResponse;
import org.apache.kafka.common.message.ProduceResponseData.TopicProduceResponse;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.Records;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.common.requests.ProduceResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.storage.internals.log.RecordValidationException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Produce, versions 3 to 13. The frame is let go when all partitions are written, before the
 * acknowledgements that may take longer. The request's timeout is for those alone: an answer before
 * all is written would let go of a frame whose records are still to be read.
 */
final class ProduceHandler implements Handler<ProduceRequest> {
  private static final Logger LOG = LoggerFactory.getLogger(ProduceHandler.class);
  private static final short ZSTD_SINCE = 7;
  private static final int ATTRIBUTES_POSITION = 21;
  private static final int TRANSACTIONAL_MASK = 0x10;

  /** What {@code Admin} is called when it writes. */
  private static final String ADMIN_CLIENT = "__admin_client";

  /** The first version that names new leaders (KIP-951). */
  private static final short LEADERS_SINCE = 10;

  private final ControlPlane control;
  private final Partitions partitions;
  private final Guard guard;
  private final PartitionVerification verification;
  private final ProducerTurns turns = new ProducerTurns();
  private final ScheduledExecutorService timer;

  ProduceHandler(
      ControlPlane control,
      Partitions partitions,
      Guard guard,
      PartitionVerification verification,
      ScheduledExecutorService timer) {
    this.control = control;
    this.partitions = partitions;
    this.guard = guard;
    this.verification = verification;
    this.timer = timer;
  }

  @Override
  public CompletionStage<Reply> handle(Request<ProduceRequest> request) {
    ProduceRequest body = request.body();
    short acks = body.acks();
    if (acks < -1 || acks > 1) {
      return CompletableFuture.completedFuture(
          Reply.of(body.getErrorResponse(Errors.INVALID_REQUIRED_ACKS.exception())));
    }
    if (!mayWriteInTransaction(request.context(), body)) {
      return CompletableFuture.completedFuture(
          acks == 0
              ? Reply.closeConnection()
              : Reply.of(
                  body.getErrorResponse(Errors.TRANSACTIONAL_ID_AUTHORIZATION_FAILED.exception())));
    }
    List<Part> parts = append(request.context(), body, acks);
    if (allDone(parts)) { // as a rule: written inline, and no follower to wait for
      request.releaseFrame();
      return CompletableFuture.completedFuture(reply(request, parts));
    }
    CompletableFuture<Void> written = all(parts.stream().map(Part::written).toList());
    var unused = written.whenComplete((done, failure) -> request.releaseFrame());
    CompletableFuture<Void> acknowledged =
        acks == -1 ? all(parts.stream().map(Part::acknowledged).toList()) : written;
    if (acks != -1 || acknowledged.isDone()) {
      return written.handle((done, failure) -> reply(request, parts));
    }
    int timeoutMs = body.timeout();
    return written
        .handle((done, failure) -> timeoutMs)
        .thenCompose(ms -> within(acknowledged, ms))
        .handle((done, failure) -> reply(request, parts));
  }

  private static boolean allDone(List<Part> parts) {
    for (Part part : parts) {
      if (!part.written.isDone() || !part.acknowledged.isDone()) {
        return false;
      }
    }
    return true;
  }

  /** Completes with the future, but no later than the timeout. */
  private CompletableFuture<Object> within(CompletableFuture<Void> acknowledged, int timeoutMs) {
    if (acknowledged.isDone()) {
      return CompletableFuture.completedFuture(timeoutMs);
    }
    CompletableFuture<Void> late = new CompletableFuture<>();
    Runnable end = () -> late.complete(null);
    ScheduledFuture<?> timeout = timer.schedule(end, timeoutMs, TimeUnit.MILLISECONDS);
    var unused = acknowledged.whenComplete((done, failure) -> timeout.cancel(false));
    return CompletableFuture.anyOf(acknowledged, late);
  }

  /** One partition of a request, on its way. */
  private record Part(
      TopicProduceData topic,
      int index,
      CompletableFuture<Appended> written,
      CompletableFuture<Appended> acknowledged) {
    static Part failed(TopicProduceData topic, int index, Throwable failure) {
      CompletableFuture<Appended> failed = CompletableFuture.failedFuture(failure);
      return new Part(topic, index, failed, failed);
    }
  }

  /** A topic by both of its names. */
  private record Named(Uuid id, String name) {}

  /**
   * A topic of a request.
   *
   * @param refusal why nothing is written to it
   */
  private record Judged(TopicProduceData topic, Named named, @Nullable ApiException refusal) {}

  /** False refuses all of a request, what is of no transaction too: a part would be a gap. */
  private boolean mayWriteInTransaction(RequestContext who, ProduceRequest body) {
    if (!hasTransactional(body)) {
      return true;
    }
    String id = body.transactionalId();
    return id != null && guard.allowsTransaction(who, AclOperation.WRITE, id);
  }

  private static boolean hasTransactional(ProduceRequest body) {
    for (TopicProduceData topic : body.data().topicData()) {
      for (PartitionProduceData partition : topic.partitionData()) {
        if (partition.records() instanceof MemoryRecords records
            && !plain(records, body.version())
            && transactional(records)) {
          return true;
        }
      }
    }
    return false;
  }

  private static boolean transactional(MemoryRecords records) {
    try {
      return TransactionalAppends.first(records) != null;
    } catch (KafkaException broken) { // which its partition is told
      return false;
    }
  }

  /**
   * All parts of a topic stand together. From the first append on nothing is thrown: one that is
   * under way still reads the frame, which a request that fails lets go of.
   */
  private List<Part> append(RequestContext who, ProduceRequest body, short acks) {
    List<Judged> topics = judged(who, body);
    TransactionalAppends transaction = new TransactionalAppends(verification, turns, body);
    List<Part> parts = new ArrayList<>();
    Wakes wakes = new Wakes();
    for (Judged judged : topics) {
      TopicProduceData topic = judged.topic;
      ApiException refusal = judged.refusal;
      for (PartitionProduceData partition : topic.partitionData()) {
        Target to = new Target(topic, partition, judged.named, body.version(), acks);
        parts.add(
            refusal == null
                ? append(to, transaction, wakes)
                : Part.failed(topic, partition.index(), refusal));
      }
    }
    wakes.done();
    transaction.begin();
    return parts;
  }

  /** All topics, before anything is appended: a class of the user's that is asked may throw. */
  private List<Judged> judged(RequestContext who, ProduceRequest body) {
    ClusterView view = control.view();
    List<Judged> topics = new ArrayList<>();
    for (TopicProduceData topic : body.data().topicData()) {
      try {
        Named named = writable(who, topic, view);
        requireOpen(who, named.name);
        topics.add(new Judged(topic, named, null));
      } catch (UnknownTopicOrPartitionException
          | UnknownTopicIdException
          | InvalidTopicException
          | TopicAuthorizationException refusal) {
        topics.add(new Judged(topic, new Named(topic.topicId(), topic.name()), refusal));
      }
    }
    return topics;
  }

  /** One partition of a request, as it came. */
  private record Target(
      TopicProduceData topic,
      PartitionProduceData partition,
      Named named,
      short version,
      short acks) {
    TopicIdPartition id() {
      return new TopicIdPartition(named.id, partition.index(), named.name);
    }
  }

  private Part append(Target to, TransactionalAppends transaction, Wakes wakes) {
    try {
      MemoryRecords records = given(to.partition);
      Partition leader = partitions.leaderOrThrow(to.id());
      RecordBatch first = plain(records, to.version) ? null : checked(records, to.version);
      PendingAppend pending =
          first == null
              ? leader.append(records, to.acks, AppendTerms.CLIENT, wakes)
              : transaction.add(leader, records, first);
      return new Part(to.topic, to.partition.index(), pending.written(), pending.acknowledged());
    } catch (RuntimeException | Error failure) {
      return Part.failed(to.topic, to.partition.index(), failure);
    }
  }

  /** Whether there is a topic by this name is told to those who may write to it. */
  private Named writable(RequestContext who, TopicProduceData topic, ClusterView view) {
    if (topic.topicId().equals(Uuid.ZERO_UUID)) {
      requireWrite(who, topic.name());
      return named(topic, view);
    }
    Named named = named(topic, view);
    requireWrite(who, named.name);
    return named;
  }

  /** What coordinators keep is theirs to write, as with Kafka; its admin client may mend it. */
  private static void requireOpen(RequestContext who, String topic) {
    if (Topic.isInternal(topic) && !ADMIN_CLIENT.equals(who.clientId())) {
      throw new InvalidTopicException(topic + " is a coordinator's: no client writes to it");
    }
  }

  private void requireWrite(RequestContext who, String topic) {
    if (!guard.allowsTopic(who, AclOperation.WRITE, topic)) {
      throw new TopicAuthorizationException(Set.of(topic));
    }
  }

  private static Named named(TopicProduceData topic, ClusterView view) {
    if (topic.topicId().equals(Uuid.ZERO_UUID)) {
      Uuid id = view.topicId(topic.name());
      if (id.equals(Uuid.ZERO_UUID)) {
        throw new UnknownTopicOrPartitionException("there is no topic " + topic.name());
      }
      return new Named(id, topic.name());
    }
    String name = view.topicName(topic.topicId());
    if (name == null) {
      throw new UnknownTopicIdException("there is no topic with id " + topic.topicId());
    }
    return new Named(topic.topicId(), name);
  }

  private static MemoryRecords given(PartitionProduceData partition) {
    if (partition.records() == null) {
      throw new InvalidRecordException("a partition without records");
    }
    return (MemoryRecords) partition.records();
  }

  /** The first batch, if it belongs to a transaction. */
  private static @Nullable RecordBatch checked(MemoryRecords records, short version) {
    ProduceRequest.validateRecords(version, records);
    return TransactionalAppends.first(records);
  }

  /**
   * Whether the header alone shows that nothing is to be refused here: the common case, cheaply.
   */
  private static boolean plain(MemoryRecords records, short version) {
    ByteBuffer bytes = records.buffer();
    int position = bytes.position();
    return version >= ZSTD_SINCE
        && bytes.remaining() >= DefaultRecordBatch.RECORD_BATCH_OVERHEAD
        && bytes.getInt(position + Records.SIZE_OFFSET) == bytes.remaining() - Records.LOG_OVERHEAD
        && bytes.get(position + Records.MAGIC_OFFSET) == RecordBatch.MAGIC_VALUE_V2
        && (bytes.getShort(position + ATTRIBUTES_POSITION) & TRANSACTIONAL_MASK) == 0;
  }

  @SuppressWarnings("ReferenceEquality") // the parts of a topic stand together
  private Reply reply(Request<ProduceRequest> request, List<Part> parts) {
    if (request.body().acks() == 0) {
      return parts.stream().anyMatch(p -> p.written.isCompletedExceptionally())
          ? Reply.closeConnection()
          : Reply.none();
    }
    ProduceResponseData data = new ProduceResponseData();
    @Nullable TopicProduceData topic = null;
    TopicProduceResponse answers = new TopicProduceResponse();
    for (Part part : parts) {
      if (part.topic != topic) {
        topic = part.topic;
        answers = answerFor(topic, data);
      }
      answers.partitionResponses().add(answer(part));
    }
    if (request.version() >= LEADERS_SINCE) {
      tellLeaders(request, data);
    }
    return Reply.of(new ProduceResponse(data));
  }

  private void tellLeaders(Request<?> request, ProduceResponseData data) {
    NewLeaders leaders = new NewLeaders(control, request);
    for (TopicProduceResponse topic : data.responses()) {
      for (PartitionProduceResponse one : topic.partitionResponses()) {
        leaders.tell(
            one.errorCode(),
            topic.topicId(),
            topic.name(),
            one.index(),
            (leader, epoch) -> one.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch));
      }
    }
    for (Node node : leaders.nodes()) {
      data.nodeEndpoints()
          .add(
              new NodeEndpoint()
                  .setNodeId(node.id())
                  .setHost(node.host())
                  .setPort(node.port())
                  .setRack(node.rack()));
    }
  }

  private static TopicProduceResponse answerFor(TopicProduceData topic, ProduceResponseData data) {
    TopicProduceResponse answer =
        new TopicProduceResponse().setName(topic.name()).setTopicId(topic.topicId());
    data.responses().add(answer);
    return answer;
  }

  private static PartitionProduceResponse answer(Part part) {
    PartitionProduceResponse answer = new PartitionProduceResponse().setIndex(part.index);
    if (!part.acknowledged.isDone()) {
      return failed(answer, Errors.REQUEST_TIMED_OUT);
    }
    if (part.acknowledged.isCompletedExceptionally()) {
      Throwable failure =
          part.acknowledged.handle((appended, thrown) -> Dispatcher.cause(thrown)).join();
      tellIfUnexpected(part, failure);
      return failed(answer, failure);
    }
    Appended appended = part.acknowledged.join();
    return answer
        .setBaseOffset(appended.firstOffset())
        .setLogAppendTimeMs(appended.logAppendTimeMs())
        .setLogStartOffset(appended.logStartOffset());
  }

  /** The client is told no more than that; here alone it can be understood. */
  private static void tellIfUnexpected(Part part, Throwable failure) {
    if (error(failure) == Errors.UNKNOWN_SERVER_ERROR) {
      LOG.atError()
          .addKeyValue("partition", part.topic.name() + "-" + part.index)
          .setCause(failure)
          .log("an append failed unexpectedly");
    }
  }

  private static Errors error(Throwable failure) {
    return Errors.forException(
        failure instanceof RecordValidationException invalid
            ? invalid.invalidException()
            : failure);
  }

  private static PartitionProduceResponse failed(PartitionProduceResponse answer, Errors error) {
    return answer.setErrorCode(error.code()).setBaseOffset(ProduceResponse.INVALID_OFFSET);
  }

  private static PartitionProduceResponse failed(
      PartitionProduceResponse answer, Throwable failure) {
    if (failure instanceof RecordValidationException invalid) {
      failed(answer, error(failure)).setErrorMessage(invalid.invalidException().getMessage());
      invalid
          .recordErrors()
          .forEach(
              e ->
                  answer
                      .recordErrors()
                      .add(
                          new BatchIndexAndErrorMessage()
                              .setBatchIndex(e.batchIndex)
                              .setBatchIndexErrorMessage(e.message)));
      return answer;
    }
    return failed(answer, error(failure)).setErrorMessage(failure.getMessage());
  }

  private static CompletableFuture<Void> all(List<CompletableFuture<Appended>> futures) {
    return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new));
  }
}

package io.strandline.broker.request.data;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.broker.partition.FoundOffset;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsPartition;
import org.apache.kafka.common.message.DeleteRecordsRequestData.DeleteRecordsTopic;
import org.apache.kafka.common.message.DeleteRecordsResponseData;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsPartitionResult;
import org.apache.kafka.common.message.DeleteRecordsResponseData.DeleteRecordsTopicResult;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsPartition;
import org.apache.kafka.common.message.ListOffsetsRequestData.ListOffsetsTopic;
import org.apache.kafka.common.message.ListOffsetsResponseData;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsPartitionResponse;
import org.apache.kafka.common.message.ListOffsetsResponseData.ListOffsetsTopicResponse;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderPartition;
import org.apache.kafka.common.message.OffsetForLeaderEpochRequestData.OffsetForLeaderTopic;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.EpochEndOffset;
import org.apache.kafka.common.message.OffsetForLeaderEpochResponseData.OffsetForLeaderTopicResult;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DeleteRecordsRequest;
import org.apache.kafka.common.requests.DeleteRecordsResponse;
import org.apache.kafka.common.requests.ListOffsetsRequest;
import org.apache.kafka.common.requests.ListOffsetsResponse;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochRequest;
import org.apache.kafka.common.requests.OffsetsForLeaderEpochResponse;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.server.storage.log.FetchIsolation;

/**
 * ListOffsets, DeleteRecords and OffsetForLeaderEpoch: where a log begins, ends, and in between.
 */
final class OffsetHandlers {
  /** The first version of ListOffsets whose answer has a leader epoch, and refuses it earlier. */
  private static final short EPOCH_SINCE = 4;

  /** The first version whose clients know that an offset may not be available yet. */
  private static final short NOT_AVAILABLE_SINCE = 5;

  /** Offsets that have a name, as Apache Kafka's ReplicaManager lists them. */
  private static final Map<Long, Integer> NAMED_SINCE =
      Map.of(
          ListOffsetsRequest.EARLIEST_TIMESTAMP, 1,
          ListOffsetsRequest.LATEST_TIMESTAMP, 1,
          ListOffsetsRequest.MAX_TIMESTAMP, 7,
          ListOffsetsRequest.EARLIEST_LOCAL_TIMESTAMP, 8,
          ListOffsetsRequest.LATEST_TIERED_TIMESTAMP, 9,
          ListOffsetsRequest.EARLIEST_PENDING_UPLOAD_TIMESTAMP, 11);

  private final Sources sources;
  private final Guard guard;
  private final LongSupplier timeoutMs;
  private final ScheduledExecutorService timer;

  /**
   * @param timeoutMs of look-ups by clients that say none: those below version 10
   */
  OffsetHandlers(
      Sources sources, Guard guard, LongSupplier timeoutMs, ScheduledExecutorService timer) {
    this.sources = sources;
    this.guard = guard;
    this.timeoutMs = timeoutMs;
    this.timer = timer;
  }

  // ---- ListOffsets

  CompletionStage<Reply> list(Request<ListOffsetsRequest> request) {
    ListOffsetsRequest body = request.body();
    FetchIsolation isolation =
        body.replicaId() != ListOffsetsRequest.CONSUMER_REPLICA_ID
            ? FetchIsolation.LOG_END
            : body.isolationLevel() == IsolationLevel.READ_COMMITTED
                ? FetchIsolation.TXN_COMMITTED
                : FetchIsolation.HIGH_WATERMARK;
    ListOffsetsResponseData data = new ListOffsetsResponseData();
    List<CompletableFuture<?>> pending = new ArrayList<>();
    for (ListOffsetsTopic topic : body.topics()) {
      ListOffsetsTopicResponse answer = new ListOffsetsTopicResponse().setName(topic.name());
      data.topics().add(answer);
      boolean allowed = guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic.name());
      for (ListOffsetsPartition asked : topic.partitions()) {
        ListOffsetsPartitionResponse part =
            new ListOffsetsPartitionResponse()
                .setPartitionIndex(asked.partitionIndex())
                .setErrorCode(Errors.REQUEST_TIMED_OUT.code())
                .setTimestamp(ListOffsetsResponse.UNKNOWN_TIMESTAMP)
                .setOffset(ListOffsetsResponse.UNKNOWN_OFFSET);
        answer.partitions().add(part);
        TopicPartition tp = new TopicPartition(topic.name(), asked.partitionIndex());
        pending.add(
            (allowed ? find(body, tp, asked, isolation) : OffsetHandlers.<FoundOffset>denied())
                .handle(
                    (found, failure) -> {
                      synchronized (data) {
                        fill(part, found, failure, request.version());
                      }
                      return part;
                    }));
      }
    }
    long waitMs = body.timeoutMs() > 0 ? body.timeoutMs() : timeoutMs.getAsLong();
    return within(pending, waitMs)
        .thenApply(
            done -> {
              synchronized (data) { // late answers fill the original
                return Reply.of(new ListOffsetsResponse(data.duplicate()));
              }
            });
  }

  private CompletableFuture<FoundOffset> find(
      ListOffsetsRequest body,
      TopicPartition tp,
      ListOffsetsPartition asked,
      FetchIsolation isolation) {
    try {
      if (body.duplicatePartitions().contains(tp)) {
        throw Errors.INVALID_REQUEST.exception();
      }
      if (asked.timestamp() < 0 && body.version() < namedSince(asked.timestamp())) {
        throw Errors.UNSUPPORTED_VERSION.exception();
      }
      OptionalInt epoch = epoch(asked.currentLeaderEpoch());
      return body.replicaId() == ListOffsetsRequest.DEBUGGING_REPLICA_ID
          ? sources
              .hosted()
              .replicaOrThrow(new TopicIdPartition(Uuid.ZERO_UUID, tp))
              .offsetHere(asked.timestamp(), epoch)
          : sources.leader(tp).offsetFor(asked.timestamp(), isolation, epoch);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  /** The first version of ListOffsets that knows an offset by this name. */
  private static int namedSince(long timestamp) {
    return NAMED_SINCE.getOrDefault(timestamp, Integer.MAX_VALUE);
  }

  private static void fill(
      ListOffsetsPartitionResponse part, FoundOffset found, Throwable failure, short version) {
    if (failure != null) {
      Errors error = Dispatcher.error(failure);
      boolean unknown = error == Errors.OFFSET_NOT_AVAILABLE && version < NOT_AVAILABLE_SINCE;
      part.setErrorCode((unknown ? Errors.LEADER_NOT_AVAILABLE : error).code());
      return;
    }
    part.setErrorCode(Errors.NONE.code())
        .setOffset(found.offset())
        .setTimestamp(found.timestampMs());
    if (version >= EPOCH_SINCE) {
      part.setLeaderEpoch(found.leaderEpoch().orElse(ListOffsetsResponse.UNKNOWN_EPOCH));
    }
  }

  // ---- DeleteRecords

  CompletionStage<Reply> delete(Request<DeleteRecordsRequest> request) {
    DeleteRecordsResponseData data = new DeleteRecordsResponseData();
    List<CompletableFuture<Long>> moves = new ArrayList<>();
    List<CompletableFuture<?>> pending = new ArrayList<>();
    Set<String> deletable = deletable(request);
    for (DeleteRecordsTopic topic : request.body().data().topics()) {
      DeleteRecordsTopicResult answer = new DeleteRecordsTopicResult().setName(topic.name());
      data.topics().add(answer);
      boolean allowed = deletable.contains(topic.name());
      for (DeleteRecordsPartition asked : topic.partitions()) {
        DeleteRecordsPartitionResult part =
            new DeleteRecordsPartitionResult()
                .setPartitionIndex(asked.partitionIndex())
                .setErrorCode(Errors.REQUEST_TIMED_OUT.code())
                .setLowWatermark(DeleteRecordsResponse.INVALID_LOW_WATERMARK);
        answer.partitions().add(part);
        TopicPartition tp = new TopicPartition(topic.name(), asked.partitionIndex());
        CompletableFuture<Long> move = allowed ? deleted(tp, asked.offset()) : denied();
        moves.add(move);
        pending.add(
            move.handle(
                (start, failure) -> {
                  synchronized (data) {
                    fill(part, start, failure);
                  }
                  return part;
                }));
      }
    }
    return within(pending, request.body().data().timeoutMs())
        .thenApply(
            done -> {
              // Nobody waits any more for those that are late.
              ApiException late = Errors.REQUEST_TIMED_OUT.exception();
              moves.forEach(move -> move.completeExceptionally(late));
              synchronized (data) { // late answers fill the original
                return Reply.of(new DeleteRecordsResponse(data.duplicate()));
              }
            });
  }

  /** Found out before any record is deleted: a class of the user's that is asked may throw. */
  private Set<String> deletable(Request<DeleteRecordsRequest> request) {
    Set<String> names = new HashSet<>();
    for (DeleteRecordsTopic topic : request.body().data().topics()) {
      if (guard.allowsTopic(request.context(), AclOperation.DELETE, topic.name())) {
        names.add(topic.name());
      }
    }
    return names;
  }

  private CompletableFuture<Long> deleted(TopicPartition tp, long offset) {
    try {
      if (Topic.isInternal(tp.topic())) {
        throw new InvalidTopicException(tp.topic() + " is a coordinator's: nothing is deleted");
      }
      return sources.hosted().leaderOrThrow(tp).deleteRecords(offset);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private static void fill(DeleteRecordsPartitionResult part, Long start, Throwable failure) {
    if (failure == null) {
      part.setErrorCode(Errors.NONE.code()).setLowWatermark(start);
    } else {
      part.setErrorCode(Dispatcher.error(failure).code());
    }
  }

  // ---- OffsetForLeaderEpoch

  CompletionStage<Reply> epochs(Request<OffsetsForLeaderEpochRequest> request) {
    OffsetForLeaderEpochResponseData data = new OffsetForLeaderEpochResponseData();
    List<CompletableFuture<?>> pending = new ArrayList<>();
    boolean follower =
        guard.shows(
            request.context(),
            AclOperation.CLUSTER_ACTION,
            ResourceType.CLUSTER,
            Resource.CLUSTER_NAME);
    for (OffsetForLeaderTopic topic : request.body().data().topics()) {
      OffsetForLeaderTopicResult answer = new OffsetForLeaderTopicResult().setTopic(topic.topic());
      data.topics().add(answer);
      boolean allowed =
          follower || guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic.topic());
      for (OffsetForLeaderPartition asked : topic.partitions()) {
        EpochEndOffset part =
            new EpochEndOffset()
                .setPartition(asked.partition())
                .setErrorCode(Errors.REQUEST_TIMED_OUT.code());
        answer.partitions().add(part);
        TopicPartition tp = new TopicPartition(topic.topic(), asked.partition());
        pending.add(
            (allowed ? end(tp, asked) : OffsetHandlers.<Optional<EpochEnd>>denied())
                .handle(
                    (end, failure) -> {
                      synchronized (data) {
                        fill(part, end, failure);
                      }
                      return part;
                    }));
      }
    }
    return within(pending, timeoutMs.getAsLong())
        .thenApply(
            done -> {
              synchronized (data) { // late answers fill the original
                return Reply.of(new OffsetsForLeaderEpochResponse(data.duplicate()));
              }
            });
  }

  private CompletableFuture<Optional<EpochEnd>> end(
      TopicPartition tp, OffsetForLeaderPartition asked) {
    try {
      return sources.leader(tp).epochEnd(epoch(asked.currentLeaderEpoch()), asked.leaderEpoch());
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private static void fill(EpochEndOffset part, Optional<EpochEnd> end, Throwable failure) {
    if (failure != null) {
      part.setErrorCode(Dispatcher.error(failure).code());
      return;
    }
    part.setErrorCode(Errors.NONE.code());
    end.ifPresent(e -> part.setLeaderEpoch(e.leaderEpoch()).setEndOffset(e.endOffset()));
  }

  // ---- all

  private static <T> CompletableFuture<T> denied() {
    return CompletableFuture.failedFuture(Errors.TOPIC_AUTHORIZATION_FAILED.exception());
  }

  private static OptionalInt epoch(int epoch) {
    return epoch < 0 ? OptionalInt.empty() : OptionalInt.of(epoch);
  }

  /** Completes when all did, or the time is over; never fails. */
  private CompletableFuture<?> within(List<CompletableFuture<?>> pending, long timeoutMs) {
    CompletableFuture<?> all = CompletableFuture.allOf(pending.toArray(CompletableFuture[]::new));
    if (all.isDone()) {
      return all;
    }
    CompletableFuture<Object> late = new CompletableFuture<>();
    var timeout = timer.schedule(() -> late.complete(this), timeoutMs, TimeUnit.MILLISECONDS);
    var unused = all.whenComplete((done, failure) -> timeout.cancel(false));
    return CompletableFuture.anyOf(all, late);
  }
}

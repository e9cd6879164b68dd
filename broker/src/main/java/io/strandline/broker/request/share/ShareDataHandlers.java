package io.strandline.broker.request.share;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.NewLeaders;
import io.strandline.broker.request.NewLeaders.Current;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.request.share.ShareFetchAttempt.Wanted;
import io.strandline.broker.request.share.ShareSessions.Asked;
import io.strandline.broker.request.share.ShareSessions.Member;
import io.strandline.broker.share.GroupTerms;
import io.strandline.broker.share.SharePartition.Limits;
import io.strandline.broker.share.SharePartitions;
import io.strandline.broker.share.window.Acknowledgement;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.ShareSessionLimitReachedException;
import org.apache.kafka.common.message.ShareAcknowledgeResponseData;
import org.apache.kafka.common.message.ShareFetchRequestData;
import org.apache.kafka.common.message.ShareFetchRequestData.FetchPartition;
import org.apache.kafka.common.message.ShareFetchResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.requests.ShareAcknowledgeRequest;
import org.apache.kafka.common.requests.ShareAcknowledgeResponse;
import org.apache.kafka.common.requests.ShareFetchRequest;
import org.apache.kafka.common.requests.ShareFetchResponse;
import org.apache.kafka.common.requests.ShareRequestMetadata;
import org.jspecify.annotations.Nullable;

/** ShareFetch and ShareAcknowledge. */
final class ShareDataHandlers {
  /** As long as the text of a UUID. */
  private static final int MEMBER_CHARS_MAX = 36;

  private static final byte RECORD_LIMIT_MODE = 1;

  /** What is read and not answered may take one part in so many of the heap. */
  private static final int READS_OF_HEAP = 16;

  private final ControlPlane control;
  private final ShareHandlers.Environment process;
  private final BooleanSupplier enabled;
  private final ShareSessions sessions;
  private final GroupTerms terms;
  private final Acknowledgements acknowledgements;
  private final ShareFetchAttempt.Services fetches;

  ShareDataHandlers(
      ControlPlane control,
      SharePartitions partitions,
      ShareSessions sessions,
      ShareHandlers.Environment process,
      BooleanSupplier enabled) {
    this.control = control;
    this.process = process;
    this.sessions = sessions;
    this.enabled = enabled;
    this.terms = partitions.terms();
    this.acknowledgements = new Acknowledgements(control, process.guard(), partitions);
    this.fetches =
        new ShareFetchAttempt.Services(
            partitions,
            process.reads(),
            process.timer(),
            new ReadMemory(Runtime.getRuntime().maxMemory() / READS_OF_HEAP, process.meters()));
  }

  ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.SHARE_FETCH, (Handler<ShareFetchRequest>) this::fetch)
        .add(ApiKeys.SHARE_ACKNOWLEDGE, (Handler<ShareAcknowledgeRequest>) this::acknowledge);
  }

  private Member member(Request<?> request, @Nullable String group, @Nullable String id) {
    if (!enabled.getAsBoolean()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
    if (group == null) {
      throw new InvalidRequestException("Invalid group id in the request.");
    }
    process.guard().requireGroup(request.context(), AclOperation.READ, group);
    if (id == null || id.isEmpty() || id.length() > MEMBER_CHARS_MAX) {
      throw new InvalidRequestException("Invalid member id in the request.");
    }
    return new Member(group, id);
  }

  // ---- fetch

  private CompletionStage<Reply> fetch(Request<ShareFetchRequest> request) {
    ShareFetchRequestData asked = request.body().data();
    Member member = member(request, asked.groupId(), asked.memberId());
    if (asked.isRenewAck()) {
      requireNothingFetched(asked);
    }
    Acknowledgements.Collector said = said(asked);
    ShareSessions.Round wanted;
    try {
      wanted =
          sessions.fetch(
              member,
              request.context().connectionId,
              asked.shareSessionEpoch(),
              asked(request.body()),
              !said.all().isEmpty());
    } catch (ShareSessionLimitReachedException full) {
      return later(request, full); // or the client would ask at once
    }
    var sender = new Acknowledgements.Sender(request.context(), member, asked.isRenewAck());
    Judged judged = judge(request, asked.isRenewAck() ? ShareSessions.Round.NONE : wanted);
    return acknowledgements
        .carryOut(sender, said.all())
        .thenCombine(
            read(request, member, judged),
            (outcome, data) -> {
              if (asked.shareSessionEpoch() == ShareRequestMetadata.FINAL_EPOCH) {
                sessions.close(member);
              }
              return Reply.of(response(request, member, data, outcome));
            });
  }

  private static void requireNothingFetched(ShareFetchRequestData asked) {
    if (asked.maxBytes() != 0
        || asked.minBytes() != 0
        || asked.maxRecords() != 0
        || asked.maxWaitMs() != 0) {
      throw new InvalidRequestException(
          "maxBytes, minBytes, maxRecords and maxWaitMs must be set to 0 if isRenewAck is true.");
    }
  }

  private Asked asked(ShareFetchRequest request) {
    Map<Uuid, String> names = control.view().topicNames();
    return new Asked(request.shareFetchData(names), request.forgottenTopics(names));
  }

  private static Acknowledgements.Collector said(ShareFetchRequestData asked) {
    Acknowledgements.Collector said = new Acknowledgements.Collector();
    for (var topic : asked.topics()) {
      for (FetchPartition partition : topic.partitions()) {
        if (!partition.acknowledgementBatches().isEmpty()) {
          said.add(
              topic.topicId(),
              partition.partitionIndex(),
              partition.acknowledgementBatches().stream()
                  .map(
                      batch ->
                          new Acknowledgement(
                              batch.firstOffset(), batch.lastOffset(), batch.acknowledgeTypes()))
                  .toList());
        }
      }
    }
    return said;
  }

  private CompletionStage<Reply> later(
      Request<ShareFetchRequest> request, RuntimeException failure) {
    CompletableFuture<Reply> later = new CompletableFuture<>();
    Runnable end = () -> later.completeExceptionally(failure);
    int waitMs = request.body().data().maxWaitMs();
    ScheduledFuture<?> timeout = process.timer().schedule(end, waitMs, TimeUnit.MILLISECONDS);
    request.whenGone(
        () -> {
          timeout.cancel(false);
          end.run();
        });
    return later;
  }

  /** What a fetch asks for, by whether the client gets it. */
  private record Judged(
      List<TopicIdPartition> readable,
      Map<TopicIdPartition, ShareFetchResponseData.PartitionData> refused,
      List<TopicIdPartition> untold) {}

  /** Before anything is acknowledged: a class of the user's that is asked may throw. */
  private Judged judge(Request<?> request, ShareSessions.Round session) {
    Map<Uuid, String> names = control.view().topicNames();
    Judged judged =
        new Judged(
            new ArrayList<>(),
            new LinkedHashMap<>(),
            session.untold().stream().map(fetched -> fetched.named(names)).toList());
    for (ShareSessions.Fetched fetched : session.partitions()) {
      TopicIdPartition id = fetched.named(names);
      Errors error = judge(request, id);
      if (error == Errors.NONE) {
        judged.readable.add(id);
      } else {
        judged.refused.put(id, ShareFetchResponse.partitionResponse(id, error));
      }
    }
    return judged;
  }

  private CompletableFuture<Map<TopicIdPartition, ShareFetchResponseData.PartitionData>> read(
      Request<ShareFetchRequest> request, Member member, Judged judged) {
    ShareFetchRequestData asked = request.body().data();
    List<TopicIdPartition> readable = judged.readable;
    int bytesMax =
        Math.min(
            Math.min(asked.maxBytes(), process.fetchBytesMax()),
            process.quotas().fetchBytesMax(request.context()));
    if (readable.isEmpty() || bytesMax <= 0 || asked.maxRecords() <= 0) {
      return CompletableFuture.completedFuture(judged.refused);
    }
    Collections.rotate(readable, -(asked.shareSessionEpoch() % readable.size()));
    Wanted wanted =
        new Wanted(
            member,
            readable,
            request.context().connectionId,
            new Limits(
                asked.maxRecords(),
                asked.batchSize(),
                asked.shareAcquireMode() == RECORD_LIMIT_MODE),
            bytesMax,
            asked.minBytes(),
            asked.maxWaitMs());
    ShareFetchAttempt.Allowance allowance = allowance(request);
    // Its session may outlast its connection: for a moment, or on another one.
    BooleanSupplier wantedStill = () -> !request.isGone() && sessions.has(member);
    ShareFetchAttempt attempt = new ShareFetchAttempt(fetches, wanted, wantedStill, allowance);
    CompletableFuture<Map<TopicIdPartition, ShareFetchResponseData.PartitionData>> got =
        allowance.admits(0)
            ? attempt.begin()
            : CompletableFuture.completedFuture(new LinkedHashMap<>());
    if (!got.isDone()) {
      request.whenGone(attempt::answerNow); // with nothing: it is gone
    }
    return got.thenApply(
        data -> {
          data.putAll(judged.refused);
          judged.untold.forEach(id -> data.computeIfAbsent(id, ShareDataHandlers::empty));
          return data;
        });
  }

  private ShareFetchAttempt.Allowance allowance(Request<?> request) {
    RequestContext client = request.context();
    return new ShareFetchAttempt.Allowance() {
      @Override
      public boolean admits(int bytes) {
        boolean admitted = process.quotas().admit(client, bytes);
        if (!admitted && request.isGone()) {
          process.quotas().gone(client.connectionId); // it got in line after it had left
        }
        return admitted;
      }

      @Override
      public void owes(int bytes) {
        process.quotas().owe(client, bytes);
      }
    };
  }

  private static ShareFetchResponseData.PartitionData empty(TopicIdPartition id) {
    return ShareFetchResponse.partitionResponse(id, Errors.NONE);
  }

  private Errors judge(Request<?> request, TopicIdPartition id) {
    if (id.topic() == null) {
      return Errors.UNKNOWN_TOPIC_ID;
    }
    if (!process.guard().allowsTopic(request.context(), AclOperation.READ, id.topic())) {
      return Errors.TOPIC_AUTHORIZATION_FAILED;
    }
    return control.view().partition(id.topicPartition()).isPresent()
        ? Errors.NONE
        : Errors.UNKNOWN_TOPIC_OR_PARTITION;
  }

  private ShareFetchResponse response(
      Request<?> request,
      Member member,
      Map<TopicIdPartition, ShareFetchResponseData.PartitionData> data,
      Map<TopicIdPartition, Errors> acknowledged) {
    LinkedHashMap<TopicIdPartition, ShareFetchResponseData.PartitionData> all =
        new LinkedHashMap<>(data);
    acknowledged.forEach(
        (id, error) ->
            all.computeIfAbsent(id, i -> ShareFetchResponse.partitionResponse(i, Errors.NONE))
                .setAcknowledgeErrorCode(error.code())
                .setAcknowledgeErrorMessage(told(error)));
    NewLeaders leaders = new NewLeaders(control, request);
    all.forEach(
        (id, one) -> {
          Current current =
              (leader, epoch) -> one.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch);
          leaders.tell(one.errorCode(), id.topic(), id.partition(), current);
          leaders.tell(one.acknowledgeErrorCode(), id.topic(), id.partition(), current);
        });
    return ShareFetchResponse.of(
        Errors.NONE, 0, all, leaders.nodes(), terms.lockMs(member.group()));
  }

  // ---- acknowledge

  private CompletionStage<Reply> acknowledge(Request<ShareAcknowledgeRequest> request) {
    var asked = request.body().data();
    Member member = member(request, asked.groupId(), asked.memberId());
    sessions.acknowledge(member, asked.shareSessionEpoch());
    Acknowledgements.Collector said = new Acknowledgements.Collector();
    for (var topic : asked.topics()) {
      for (var partition : topic.partitions()) {
        said.add(
            topic.topicId(),
            partition.partitionIndex(),
            partition.acknowledgementBatches().stream()
                .map(
                    batch ->
                        new Acknowledgement(
                            batch.firstOffset(), batch.lastOffset(), batch.acknowledgeTypes()))
                .toList());
      }
    }
    var sender = new Acknowledgements.Sender(request.context(), member, asked.isRenewAck());
    return acknowledgements
        .carryOut(sender, said.all())
        .thenApply(
            outcome -> {
              if (asked.shareSessionEpoch() == ShareRequestMetadata.FINAL_EPOCH) {
                sessions.close(member);
              }
              return Reply.of(answer(request, member, outcome));
            });
  }

  private ShareAcknowledgeResponse answer(
      Request<?> request, Member member, Map<TopicIdPartition, Errors> outcome) {
    NewLeaders leaders = new NewLeaders(control, request);
    LinkedHashMap<TopicIdPartition, ShareAcknowledgeResponseData.PartitionData> all =
        new LinkedHashMap<>();
    outcome.forEach(
        (id, error) -> {
          var one =
              ShareAcknowledgeResponse.partitionResponse(id, error).setErrorMessage(told(error));
          leaders.tell(
              error.code(),
              id.topic(),
              id.partition(),
              (leader, epoch) -> one.currentLeader().setLeaderId(leader).setLeaderEpoch(epoch));
          all.put(id, one);
        });
    return ShareAcknowledgeResponse.of(
        Errors.NONE, 0, all, leaders.nodes(), terms.lockMs(member.group()));
  }

  private static @Nullable String told(Errors error) {
    return error == Errors.NONE ? null : error.message();
  }
}

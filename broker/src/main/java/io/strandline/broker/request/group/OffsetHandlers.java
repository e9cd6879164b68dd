package io.strandline.broker.request.group;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.GroupAuthorizationException;
import org.apache.kafka.common.message.OffsetCommitRequestData;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestPartition;
import org.apache.kafka.common.message.OffsetCommitRequestData.OffsetCommitRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestPartition;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopic;
import org.apache.kafka.common.message.OffsetDeleteRequestData.OffsetDeleteRequestTopicCollection;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestGroup;
import org.apache.kafka.common.message.OffsetFetchRequestData.OffsetFetchRequestTopics;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseGroup;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponsePartitions;
import org.apache.kafka.common.message.OffsetFetchResponseData.OffsetFetchResponseTopics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.OffsetCommitRequest;
import org.apache.kafka.common.requests.OffsetCommitResponse;
import org.apache.kafka.common.requests.OffsetDeleteRequest;
import org.apache.kafka.common.requests.OffsetDeleteResponse;
import org.apache.kafka.common.requests.OffsetFetchRequest;
import org.apache.kafka.common.requests.OffsetFetchResponse;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/**
 * OffsetCommit, OffsetFetch, OffsetDelete. The coordinator knows neither which topics exist nor, up
 * to version 9, their ids: both are added and checked here.
 */
public final class OffsetHandlers {
  private final ControlPlane control;
  private final GroupCoordinator coordinator;
  private final Guard guard;

  public OffsetHandlers(ControlPlane control, GroupCoordinator coordinator, Guard guard) {
    this.control = control;
    this.coordinator = coordinator;
    this.guard = guard;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.OFFSET_COMMIT, (Handler<OffsetCommitRequest>) this::commit)
        .add(ApiKeys.OFFSET_FETCH, (Handler<OffsetFetchRequest>) this::fetch)
        .add(ApiKeys.OFFSET_DELETE, (Handler<OffsetDeleteRequest>) this::delete);
  }

  // ---- commit

  private CompletionStage<Reply> commit(Request<OffsetCommitRequest> request) {
    OffsetCommitRequestData asked = request.body().data();
    guard.requireGroup(request.context(), AclOperation.READ, asked.groupId());
    ClusterView view = control.view();
    boolean byId = OffsetCommitResponse.useTopicIds(request.version());
    OffsetCommitResponse.Builder answer = OffsetCommitResponse.newBuilder(byId);
    List<OffsetCommitRequestTopic> good = new ArrayList<>();
    for (OffsetCommitRequestTopic topic : asked.topics()) {
      identify(view, topic, byId);
      Errors error = judge(request, topic, byId);
      OffsetCommitRequestTopic kept =
          new OffsetCommitRequestTopic().setTopicId(topic.topicId()).setName(topic.name());
      for (OffsetCommitRequestPartition partition : topic.partitions()) {
        Errors of =
            error == Errors.NONE
                ? existence(view, topic.name(), partition.partitionIndex())
                : error;
        if (of == Errors.NONE) {
          kept.partitions().add(partition);
        } else {
          answer.addPartition(topic.topicId(), topic.name(), partition.partitionIndex(), of);
        }
      }
      if (!kept.partitions().isEmpty()) {
        good.add(kept);
      }
    }
    if (good.isEmpty()) {
      return CompletableFuture.completedFuture(Reply.of(answer.build()));
    }
    OffsetCommitRequestData checked =
        new OffsetCommitRequestData()
            .setGroupId(asked.groupId())
            .setMemberId(asked.memberId())
            .setGenerationIdOrMemberEpoch(asked.generationIdOrMemberEpoch())
            .setRetentionTimeMs(asked.retentionTimeMs())
            .setGroupInstanceId(asked.groupInstanceId())
            .setTopics(good);
    return coordinator
        .commitOffsets(request.context(), checked, BufferSupplier.NO_CACHING)
        .thenApply(committed -> Reply.of(answer.merge(committed).build()));
  }

  /** Gives the topic both its name and its id, as far as they are known. */
  private static void identify(ClusterView view, OffsetCommitRequestTopic topic, boolean byId) {
    if (byId) {
      String name = view.topicName(topic.topicId());
      topic.setName(name == null ? "" : name);
    } else {
      topic.setTopicId(view.topicId(topic.name()));
    }
  }

  private Errors judge(Request<?> request, OffsetCommitRequestTopic topic, boolean byId) {
    if (byId && topic.name().isEmpty()) {
      return Errors.UNKNOWN_TOPIC_ID;
    }
    if (!guard.allowsTopic(request.context(), AclOperation.READ, topic.name())) {
      return Errors.TOPIC_AUTHORIZATION_FAILED;
    }
    return topic.topicId().equals(Uuid.ZERO_UUID) ? Errors.UNKNOWN_TOPIC_OR_PARTITION : Errors.NONE;
  }

  private static Errors existence(ClusterView view, String topic, int partition) {
    return view.partition(new TopicPartition(topic, partition)).isPresent()
        ? Errors.NONE
        : Errors.UNKNOWN_TOPIC_OR_PARTITION;
  }

  // ---- fetch

  private CompletionStage<Reply> fetch(Request<OffsetFetchRequest> request) {
    List<CompletableFuture<OffsetFetchResponseGroup>> groups = new ArrayList<>();
    for (OffsetFetchRequestGroup group : request.body().groups()) {
      groups.add(
          fetchGroup(request, group)
              .exceptionally(
                  failure ->
                      OffsetFetchResponse.groupError(
                          group, Dispatcher.error(failure), request.version())));
    }
    return CompletableFuture.allOf(groups.toArray(CompletableFuture[]::new))
        .thenApply(
            all ->
                Reply.of(
                    new OffsetFetchResponse.Builder(
                            groups.stream().map(CompletableFuture::join).toList())
                        .build(request.version())));
  }

  private CompletableFuture<OffsetFetchResponseGroup> fetchGroup(
      Request<OffsetFetchRequest> request, OffsetFetchRequestGroup group) {
    if (!guard.allowsGroup(request.context(), AclOperation.DESCRIBE, group.groupId())) {
      return CompletableFuture.failedFuture(
          GroupAuthorizationException.forGroupId(group.groupId()));
    }
    boolean byId = OffsetFetchRequest.useTopicIds(request.version());
    boolean stable = request.body().requireStable();
    if (OffsetFetchRequest.requestAllOffsets(group)) {
      return coordinator
          .fetchOffsets(request.context(), group, stable)
          .thenApply(answer -> visible(request, answer, byId));
    }
    ClusterView view = control.view();
    List<OffsetFetchRequestTopics> good = new ArrayList<>();
    List<OffsetFetchResponseTopics> bad = new ArrayList<>();
    for (OffsetFetchRequestTopics topic : group.topics()) {
      if (byId) {
        String name = view.topicName(topic.topicId());
        topic.setName(name == null ? "" : name);
      }
      if (byId && topic.name().isEmpty()) {
        bad.add(failed(topic, Errors.UNKNOWN_TOPIC_ID));
      } else if (!guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic.name())) {
        bad.add(failed(topic, Errors.TOPIC_AUTHORIZATION_FAILED));
      } else {
        good.add(topic);
      }
    }
    OffsetFetchRequestGroup checked =
        new OffsetFetchRequestGroup()
            .setGroupId(group.groupId())
            .setMemberId(group.memberId())
            .setMemberEpoch(group.memberEpoch())
            .setTopics(good);
    return coordinator
        .fetchOffsets(request.context(), checked, stable)
        .thenApply(answer -> with(answer, bad));
  }

  private static OffsetFetchResponseTopics failed(OffsetFetchRequestTopics topic, Errors error) {
    return new OffsetFetchResponseTopics()
        .setTopicId(topic.topicId())
        .setName(topic.name())
        .setPartitions(
            topic.partitionIndexes().stream()
                .map(
                    index ->
                        new OffsetFetchResponsePartitions()
                            .setPartitionIndex(index)
                            .setCommittedOffset(-1)
                            .setErrorCode(error.code()))
                .toList());
  }

  private static OffsetFetchResponseGroup with(
      OffsetFetchResponseGroup answer, List<OffsetFetchResponseTopics> bad) {
    if (answer.errorCode() != Errors.NONE.code() || bad.isEmpty()) {
      return answer;
    }
    List<OffsetFetchResponseTopics> all = new ArrayList<>(answer.topics());
    all.addAll(bad);
    return answer.setTopics(all);
  }

  /** Of all offsets of a group, those of topics the client may know of and, by id, that exist. */
  private OffsetFetchResponseGroup visible(
      Request<?> request, OffsetFetchResponseGroup answer, boolean byId) {
    if (answer.errorCode() != Errors.NONE.code()) {
      return answer;
    }
    ClusterView view = control.view();
    List<OffsetFetchResponseTopics> topics = new ArrayList<>();
    for (OffsetFetchResponseTopics topic : answer.topics()) {
      if (byId && topic.topicId().equals(Uuid.ZERO_UUID)) {
        topic.setTopicId(view.topicId(topic.name()));
      }
      boolean named = !byId || !topic.topicId().equals(Uuid.ZERO_UUID);
      if (named && guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic.name())) {
        topics.add(topic);
      }
    }
    return answer.setTopics(topics);
  }

  // ---- delete

  private CompletionStage<Reply> delete(Request<OffsetDeleteRequest> request) {
    OffsetDeleteRequestData asked = request.body().data();
    guard.requireGroup(request.context(), AclOperation.DELETE, asked.groupId());
    ClusterView view = control.view();
    OffsetDeleteResponse.Builder answer = new OffsetDeleteResponse.Builder();
    OffsetDeleteRequestTopicCollection good = new OffsetDeleteRequestTopicCollection();
    for (OffsetDeleteRequestTopic topic : asked.topics()) {
      boolean allowed = guard.allowsTopic(request.context(), AclOperation.READ, topic.name());
      OffsetDeleteRequestTopic kept = new OffsetDeleteRequestTopic().setName(topic.name());
      for (OffsetDeleteRequestPartition partition : topic.partitions()) {
        Errors error =
            allowed
                ? existence(view, topic.name(), partition.partitionIndex())
                : Errors.TOPIC_AUTHORIZATION_FAILED;
        if (error == Errors.NONE) {
          kept.partitions().add(partition);
        } else {
          answer.addPartition(topic.name(), partition.partitionIndex(), error);
        }
      }
      if (!kept.partitions().isEmpty()) {
        good.add(kept);
      }
    }
    OffsetDeleteRequestData checked =
        new OffsetDeleteRequestData().setGroupId(asked.groupId()).setTopics(good);
    return coordinator
        .deleteOffsets(request.context(), checked, BufferSupplier.NO_CACHING)
        .thenApply(deleted -> Reply.of(answer.merge(deleted).build()));
  }
}

package io.strandline.broker.request.share;

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
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.AlterShareGroupOffsetsRequestData.AlterShareGroupOffsetsRequestTopicCollection;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsRequestData;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsRequestData.DeleteShareGroupOffsetsRequestTopic;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsResponseData;
import org.apache.kafka.common.message.DeleteShareGroupOffsetsResponseData.DeleteShareGroupOffsetsResponseTopic;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestGroup;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsRequestData.DescribeShareGroupOffsetsRequestTopic;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData.DescribeShareGroupOffsetsResponseGroup;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData.DescribeShareGroupOffsetsResponsePartition;
import org.apache.kafka.common.message.DescribeShareGroupOffsetsResponseData.DescribeShareGroupOffsetsResponseTopic;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.AlterShareGroupOffsetsResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.DeleteShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.DeleteShareGroupOffsetsResponse;
import org.apache.kafka.common.requests.DescribeShareGroupOffsetsRequest;
import org.apache.kafka.common.requests.DescribeShareGroupOffsetsResponse;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** DescribeShareGroupOffsets, AlterShareGroupOffsets, DeleteShareGroupOffsets. */
final class ShareOffsetHandlers {
  private final ControlPlane control;
  private final GroupCoordinator coordinator;
  private final Guard guard;
  private final BooleanSupplier enabled;

  /**
   * @param enabled whether share groups are switched on
   */
  ShareOffsetHandlers(
      ControlPlane control, GroupCoordinator coordinator, Guard guard, BooleanSupplier enabled) {
    this.control = control;
    this.coordinator = coordinator;
    this.guard = guard;
    this.enabled = enabled;
  }

  ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(
            ApiKeys.DESCRIBE_SHARE_GROUP_OFFSETS,
            (Handler<DescribeShareGroupOffsetsRequest>) this::describe)
        .add(
            ApiKeys.ALTER_SHARE_GROUP_OFFSETS, (Handler<AlterShareGroupOffsetsRequest>) this::alter)
        .add(
            ApiKeys.DELETE_SHARE_GROUP_OFFSETS,
            (Handler<DeleteShareGroupOffsetsRequest>) this::delete);
  }

  // ---- describe

  private CompletionStage<Reply> describe(Request<DescribeShareGroupOffsetsRequest> request) {
    List<CompletableFuture<DescribeShareGroupOffsetsResponseGroup>> groups = new ArrayList<>();
    for (DescribeShareGroupOffsetsRequestGroup group : request.body().groups()) {
      groups.add(
          describe(request, group)
              .exceptionally(failure -> failed(group.groupId(), Dispatcher.error(failure))));
    }
    return CompletableFuture.allOf(groups.toArray(CompletableFuture[]::new))
        .thenApply(
            all ->
                Reply.of(
                    new DescribeShareGroupOffsetsResponse(
                        new DescribeShareGroupOffsetsResponseData()
                            .setGroups(groups.stream().map(CompletableFuture::join).toList()))));
  }

  private static DescribeShareGroupOffsetsResponseGroup failed(String group, Errors error) {
    return new DescribeShareGroupOffsetsResponseGroup()
        .setGroupId(group)
        .setErrorCode(error.code())
        .setErrorMessage(error.message());
  }

  private CompletableFuture<DescribeShareGroupOffsetsResponseGroup> describe(
      Request<?> request, DescribeShareGroupOffsetsRequestGroup group) {
    if (!enabled.getAsBoolean()) {
      return CompletableFuture.completedFuture(failed(group.groupId(), Errors.UNSUPPORTED_VERSION));
    }
    if (!guard.allowsGroup(request.context(), AclOperation.DESCRIBE, group.groupId())) {
      return CompletableFuture.completedFuture(
          failed(group.groupId(), Errors.GROUP_AUTHORIZATION_FAILED));
    }
    if (group.topics() == null) {
      return coordinator
          .describeShareGroupAllOffsets(request.context(), group)
          .thenApply(
              answer ->
                  answer.setTopics(
                      answer.topics().stream()
                          .filter(topic -> visible(request, topic.topicName()))
                          .toList()));
    }
    List<DescribeShareGroupOffsetsRequestTopic> good = new ArrayList<>();
    List<DescribeShareGroupOffsetsResponseTopic> bad = new ArrayList<>();
    for (DescribeShareGroupOffsetsRequestTopic topic : group.topics()) {
      if (visible(request, topic.topicName())) {
        good.add(topic);
      } else {
        bad.add(hidden(topic));
      }
    }
    if (group.topics().isEmpty()) {
      return CompletableFuture.completedFuture(
          new DescribeShareGroupOffsetsResponseGroup().setGroupId(group.groupId()));
    }
    return coordinator
        .describeShareGroupOffsets(
            request.context(),
            new DescribeShareGroupOffsetsRequestGroup().setGroupId(group.groupId()).setTopics(good))
        .thenApply(answer -> with(answer, bad));
  }

  private boolean visible(Request<?> request, String topic) {
    return guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic);
  }

  private static DescribeShareGroupOffsetsResponseTopic hidden(
      DescribeShareGroupOffsetsRequestTopic topic) {
    return new DescribeShareGroupOffsetsResponseTopic()
        .setTopicName(topic.topicName())
        .setTopicId(Uuid.ZERO_UUID)
        .setPartitions(
            topic.partitions().stream()
                .map(
                    index ->
                        new DescribeShareGroupOffsetsResponsePartition()
                            .setPartitionIndex(index)
                            .setStartOffset(-1)
                            .setLag(-1)
                            .setErrorCode(Errors.TOPIC_AUTHORIZATION_FAILED.code())
                            .setErrorMessage(Errors.TOPIC_AUTHORIZATION_FAILED.message()))
                .toList());
  }

  private static DescribeShareGroupOffsetsResponseGroup with(
      DescribeShareGroupOffsetsResponseGroup answer,
      List<DescribeShareGroupOffsetsResponseTopic> bad) {
    if (answer.errorCode() != Errors.NONE.code() || bad.isEmpty()) {
      return answer;
    }
    List<DescribeShareGroupOffsetsResponseTopic> all = new ArrayList<>(answer.topics());
    all.addAll(bad);
    return answer.setTopics(all);
  }

  // ---- alter

  private CompletionStage<Reply> alter(Request<AlterShareGroupOffsetsRequest> request) {
    AlterShareGroupOffsetsRequestData asked = request.body().data();
    requireEnabled();
    guard.requireGroup(request.context(), AclOperation.READ, asked.groupId());
    ClusterView view = control.view();
    var answer = new AlterShareGroupOffsetsResponse.Builder();
    var good = new AlterShareGroupOffsetsRequestTopicCollection();
    for (var topic : asked.topics()) {
      Errors error = judge(request, view, topic.topicName());
      if (error == Errors.NONE) {
        good.add(topic.duplicate());
      } else {
        topic
            .partitions()
            .forEach(
                partition ->
                    answer.addPartition(
                        topic.topicName(),
                        partition.partitionIndex(),
                        view.topicIds(),
                        new ApiError(error)));
      }
    }
    return coordinator
        .alterShareGroupOffsets(
            request.context(),
            asked.groupId(),
            new AlterShareGroupOffsetsRequestData().setGroupId(asked.groupId()).setTopics(good))
        .thenApply(
            altered ->
                Reply.of(
                    altered.errorCode() == Errors.NONE.code()
                        ? answer.merge(altered, view.topicIds()).build()
                        : request
                            .body()
                            .getErrorResponse(0, altered.errorCode(), altered.errorMessage())));
  }

  private Errors judge(Request<?> request, ClusterView view, String topic) {
    if (!guard.allowsTopic(request.context(), AclOperation.READ, topic)) {
      return Errors.TOPIC_AUTHORIZATION_FAILED;
    }
    return view.partitionCount(topic).isPresent() ? Errors.NONE : Errors.UNKNOWN_TOPIC_OR_PARTITION;
  }

  // ---- delete

  private CompletionStage<Reply> delete(Request<DeleteShareGroupOffsetsRequest> request) {
    DeleteShareGroupOffsetsRequestData asked = request.body().data();
    requireEnabled();
    guard.requireGroup(request.context(), AclOperation.DELETE, asked.groupId());
    List<DeleteShareGroupOffsetsResponseTopic> all = new ArrayList<>();
    List<DeleteShareGroupOffsetsRequestTopic> good = new ArrayList<>();
    for (DeleteShareGroupOffsetsRequestTopic topic : asked.topics()) {
      if (guard.allowsTopic(request.context(), AclOperation.READ, topic.topicName())) {
        good.add(topic);
      } else {
        all.add(
            new DeleteShareGroupOffsetsResponseTopic()
                .setTopicName(topic.topicName())
                .setErrorCode(Errors.TOPIC_AUTHORIZATION_FAILED.code())
                .setErrorMessage(Errors.TOPIC_AUTHORIZATION_FAILED.message()));
      }
    }
    return coordinator
        .deleteShareGroupOffsets(
            request.context(),
            new DeleteShareGroupOffsetsRequestData().setGroupId(asked.groupId()).setTopics(good))
        .thenApply(
            deleted -> {
              if (deleted.errorCode() != Errors.NONE.code()) {
                return Reply.of(
                    request
                        .body()
                        .getErrorResponse(0, deleted.errorCode(), deleted.errorMessage()));
              }
              all.addAll(deleted.responses());
              return Reply.of(
                  new DeleteShareGroupOffsetsResponse(
                      new DeleteShareGroupOffsetsResponseData().setResponses(all)));
            });
  }

  private void requireEnabled() {
    if (!enabled.getAsBoolean()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
  }
}

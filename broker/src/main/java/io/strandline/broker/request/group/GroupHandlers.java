package io.strandline.broker.request.group;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionStage;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.ConsumerGroupDescribeResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData;
import org.apache.kafka.common.message.DeleteGroupsResponseData.DeletableGroupResult;
import org.apache.kafka.common.message.DescribeGroupsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ConsumerGroupDescribeRequest;
import org.apache.kafka.common.requests.ConsumerGroupDescribeResponse;
import org.apache.kafka.common.requests.DeleteGroupsRequest;
import org.apache.kafka.common.requests.DeleteGroupsResponse;
import org.apache.kafka.common.requests.DescribeGroupsRequest;
import org.apache.kafka.common.requests.DescribeGroupsResponse;
import org.apache.kafka.common.requests.ListGroupsRequest;
import org.apache.kafka.common.requests.ListGroupsResponse;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.coordinator.group.GroupCoordinator;

/** ListGroups, DescribeGroups, ConsumerGroupDescribe, DeleteGroups. */
public final class GroupHandlers {
  private final GroupCoordinator coordinator;
  private final Guard guard;
  private final BooleanSupplier consumerProtocol;

  /**
   * @param consumerProtocol whether the groups of KIP-848 are switched on
   */
  public GroupHandlers(
      GroupCoordinator coordinator, Guard guard, BooleanSupplier consumerProtocol) {
    this.coordinator = coordinator;
    this.guard = guard;
    this.consumerProtocol = consumerProtocol;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.LIST_GROUPS, (Handler<ListGroupsRequest>) this::list)
        .add(ApiKeys.DESCRIBE_GROUPS, (Handler<DescribeGroupsRequest>) this::describeClassic)
        .add(
            ApiKeys.CONSUMER_GROUP_DESCRIBE,
            (Handler<ConsumerGroupDescribeRequest>) this::describeConsumer)
        .add(ApiKeys.DELETE_GROUPS, (Handler<DeleteGroupsRequest>) this::delete);
  }

  private CompletionStage<Reply> list(Request<ListGroupsRequest> request) {
    boolean all =
        guard.shows(
            request.context(), AclOperation.DESCRIBE, ResourceType.CLUSTER, Resource.CLUSTER_NAME);
    return coordinator
        .listGroups(request.context(), request.body().data())
        .thenApply(
            answer -> {
              if (!all) {
                answer.setGroups(
                    answer.groups().stream()
                        .filter(
                            group ->
                                guard.shows(
                                    request.context(),
                                    AclOperation.DESCRIBE,
                                    ResourceType.GROUP,
                                    group.groupId()))
                        .toList());
              }
              return Reply.of(new ListGroupsResponse(answer));
            });
  }

  private CompletionStage<Reply> describeClassic(Request<DescribeGroupsRequest> request) {
    var asked = request.body().data();
    Sorted sorted = sort(request, AclOperation.DESCRIBE, asked.groups());
    return coordinator
        .describeGroups(request.context(), sorted.allowed)
        .thenApply(
            described -> {
              DescribeGroupsResponseData answer = new DescribeGroupsResponseData();
              for (String group : sorted.denied) {
                answer
                    .groups()
                    .add(
                        DescribeGroupsResponse.groupError(
                            group, Errors.GROUP_AUTHORIZATION_FAILED));
              }
              if (asked.includeAuthorizedOperations()) {
                for (var group : described) {
                  if (group.errorCode() == Errors.NONE.code()) {
                    group.setAuthorizedOperations(operations(request, group.groupId()));
                  }
                }
              }
              answer.groups().addAll(described);
              return Reply.of(new DescribeGroupsResponse(answer));
            });
  }

  private CompletionStage<Reply> describeConsumer(Request<ConsumerGroupDescribeRequest> request) {
    if (!consumerProtocol.getAsBoolean()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
    var asked = request.body().data();
    Sorted sorted = sort(request, AclOperation.DESCRIBE, asked.groupIds());
    return coordinator
        .consumerGroupDescribe(request.context(), sorted.allowed)
        .thenApply(
            described -> {
              var answer = new ConsumerGroupDescribeResponseData();
              for (String group : sorted.denied) {
                answer.groups().add(failed(group, Errors.GROUP_AUTHORIZATION_FAILED));
              }
              for (var group : described) {
                if (asked.includeAuthorizedOperations()
                    && group.errorCode() == Errors.NONE.code()) {
                  group.setAuthorizedOperations(operations(request, group.groupId()));
                }
                answer
                    .groups()
                    .add(
                        showsHiddenTopic(request, group)
                            ? failed(group.groupId(), Errors.TOPIC_AUTHORIZATION_FAILED)
                            : group);
              }
              return Reply.of(new ConsumerGroupDescribeResponse(answer));
            });
  }

  private static ConsumerGroupDescribeResponseData.DescribedGroup failed(
      String group, Errors error) {
    return new ConsumerGroupDescribeResponseData.DescribedGroup()
        .setGroupId(group)
        .setErrorCode(error.code())
        .setErrorMessage(error.message());
  }

  private boolean showsHiddenTopic(
      Request<?> request, ConsumerGroupDescribeResponseData.DescribedGroup group) {
    return group.members().stream()
        .flatMap(member -> Stream.of(member.assignment(), member.targetAssignment()))
        .flatMap(assignment -> assignment.topicPartitions().stream())
        .anyMatch(
            topic ->
                !guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic.topicName()));
  }

  private CompletionStage<Reply> delete(Request<DeleteGroupsRequest> request) {
    Set<String> names = new HashSet<>(request.body().data().groupsNames());
    Sorted sorted = sort(request, AclOperation.DELETE, names);
    return coordinator
        .deleteGroups(request.context(), sorted.allowed, BufferSupplier.NO_CACHING)
        .handle(
            (deleted, failure) -> {
              DeleteGroupsResponseData answer = new DeleteGroupsResponseData();
              if (failure == null) {
                answer.setResults(deleted);
              } else {
                sorted.allowed.forEach(
                    group -> answer.results().add(result(group, Dispatcher.error(failure))));
              }
              sorted.denied.forEach(
                  group -> answer.results().add(result(group, Errors.GROUP_AUTHORIZATION_FAILED)));
              return Reply.of(new DeleteGroupsResponse(answer));
            });
  }

  private static DeletableGroupResult result(String group, Errors error) {
    return new DeletableGroupResult().setGroupId(group).setErrorCode(error.code());
  }

  private int operations(Request<?> request, String group) {
    return guard.operations(request.context(), ResourceType.GROUP, group);
  }

  /** Groups by whether the asker may. */
  private record Sorted(List<String> allowed, List<String> denied) {}

  private Sorted sort(Request<?> request, AclOperation operation, Iterable<String> groups) {
    Sorted sorted = new Sorted(new ArrayList<>(), new ArrayList<>());
    for (String group : groups) {
      boolean may = guard.allowsGroup(request.context(), operation, group);
      (may ? sorted.allowed : sorted.denied).add(group);
    }
    return sorted;
  }
}

package io.strandline.broker.request.group;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.group.GroupHost;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.StreamsInvalidTopologyException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.StreamsGroupDescribeResponseData;
import org.apache.kafka.common.message.StreamsGroupDescribeResponseData.DescribedGroup;
import org.apache.kafka.common.message.StreamsGroupHeartbeatRequestData;
import org.apache.kafka.common.message.StreamsGroupHeartbeatResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.StreamsGroupDescribeRequest;
import org.apache.kafka.common.requests.StreamsGroupDescribeResponse;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatRequest;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatResponse;
import org.apache.kafka.common.requests.StreamsGroupHeartbeatResponse.Status;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;
import org.apache.kafka.coordinator.group.streams.StreamsGroupHeartbeatResult;
import org.jspecify.annotations.Nullable;

/** StreamsGroupHeartbeat, StreamsGroupDescribe (KIP-1071). */
public final class StreamsGroupHandlers {
  private static final int REASONS_MAX = 3;

  private final GroupHost groups;
  private final Guard guard;
  private final StreamsTopics topics;

  /**
   * @param clock for how long a topic that could not be created is not tried again
   */
  public StreamsGroupHandlers(
      GroupHost groups, ControlPlane control, Guard guard, InstantSource clock) {
    this.groups = groups;
    this.guard = guard;
    this.topics = new StreamsTopics(control, clock);
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(
            ApiKeys.STREAMS_GROUP_HEARTBEAT,
            (Handler<StreamsGroupHeartbeatRequest>) this::heartbeat)
        .add(ApiKeys.STREAMS_GROUP_DESCRIBE, (Handler<StreamsGroupDescribeRequest>) this::describe);
  }

  // ---- StreamsGroupHeartbeat

  private CompletionStage<Reply> heartbeat(Request<StreamsGroupHeartbeatRequest> request) {
    requireSwitchedOn();
    StreamsGroupHeartbeatRequestData asked = request.body().data();
    guard.requireGroup(request.context(), AclOperation.READ, asked.groupId());
    if (asked.topology() != null) {
      requireTopics(request, named(asked.topology()));
    }
    return groups
        .coordinator()
        .streamsGroupHeartbeat(request.context(), asked)
        .thenApply(
            result -> {
              if (!result.creatableTopics().isEmpty()) {
                create(request, asked.groupId(), result);
              }
              return Reply.of(new StreamsGroupHeartbeatResponse(result.data()));
            });
  }

  private static Collection<String> named(StreamsGroupHeartbeatRequestData.Topology topology) {
    Collection<String> names = new TreeSet<>();
    for (var part : topology.subtopologies()) {
      names.addAll(part.sourceTopics());
      names.addAll(part.repartitionSinkTopics());
      part.repartitionSourceTopics().forEach(topic -> names.add(topic.name()));
      part.stateChangelogTopics().forEach(topic -> names.add(topic.name()));
    }
    return names;
  }

  private void requireTopics(Request<?> request, Collection<String> names) {
    String internal = those(names, Topic::isInternal);
    if (!internal.isEmpty()) {
      throw new StreamsInvalidTopologyException(
          "Use of Kafka internal topics "
              + internal
              + " in a Kafka Streams topology is prohibited.");
    }
    String invalid = those(names, name -> !Topic.isValid(name));
    if (!invalid.isEmpty()) {
      throw new StreamsInvalidTopologyException(
          "Topic names " + invalid + " are not valid topic names.");
    }
    guard.requireTopics(request.context(), AclOperation.DESCRIBE, names);
  }

  private static String those(Collection<String> names, Predicate<String> which) {
    return String.join(",", names.stream().filter(which).toList());
  }

  /** Begins to create what the group misses, and tells the member why it may still miss it. */
  private void create(Request<?> request, String group, StreamsGroupHeartbeatResult result) {
    Map<String, CreatableTopic> missing = result.creatableTopics();
    List<String> denied = denied(request, missing.keySet());
    if (!denied.isEmpty()) {
      String detail = "Unauthorized to CREATE on topics " + String.join(", ", denied) + ".";
      StreamsGroupHeartbeatResponseData.Status status = missingTopics(result.data());
      if (status == null) {
        add(result.data(), detail);
      } else {
        status.setStatusDetail(status.statusDetail() + "; " + detail);
      }
      return;
    }
    topics.create(missing, request.context(), 2L * groups.streamsHeartbeatMs(group));
    StreamsGroupHeartbeatResponseData.Status status = missingTopics(result.data());
    Map<String, String> failed = topics.failed(missing.keySet());
    if (status != null && !failed.isEmpty()) {
      status.setStatusDetail(status.statusDetail() + "; Creation failed: " + reasons(failed) + ".");
    }
  }

  private List<String> denied(Request<?> request, Collection<String> names) {
    var who = request.context();
    if (guard.shows(who, AclOperation.CREATE, ResourceType.CLUSTER, Resource.CLUSTER_NAME)) {
      return List.of();
    }
    return names.stream()
        .filter(name -> !guard.allowsTopic(who, AclOperation.CREATE, name))
        .sorted()
        .toList();
  }

  private static StreamsGroupHeartbeatResponseData.@Nullable Status missingTopics(
      StreamsGroupHeartbeatResponseData answer) {
    if (answer.status() == null) {
      return null;
    }
    return answer.status().stream()
        .filter(status -> status.statusCode() == Status.MISSING_INTERNAL_TOPICS.code())
        .findFirst()
        .orElse(null);
  }

  private static void add(StreamsGroupHeartbeatResponseData answer, String detail) {
    List<StreamsGroupHeartbeatResponseData.Status> all = new ArrayList<>();
    if (answer.status() != null) {
      all.addAll(answer.status());
    }
    all.add(
        new StreamsGroupHeartbeatResponseData.Status()
            .setStatusCode(Status.MISSING_INTERNAL_TOPICS.code())
            .setStatusDetail(detail));
    answer.setStatus(all);
  }

  private static String reasons(Map<String, String> failed) {
    String some =
        String.join(
            ", ",
            failed.entrySet().stream()
                .limit(REASONS_MAX)
                .map(each -> each.getKey() + " (" + each.getValue() + ")")
                .toList());
    return failed.size() > REASONS_MAX
        ? some + " and " + (failed.size() - REASONS_MAX) + " more"
        : some;
  }

  // ---- StreamsGroupDescribe

  private CompletionStage<Reply> describe(Request<StreamsGroupDescribeRequest> request) {
    requireSwitchedOn();
    var asked = request.body().data();
    List<String> allowed = new ArrayList<>();
    StreamsGroupDescribeResponseData answer = new StreamsGroupDescribeResponseData();
    for (String group : asked.groupIds()) {
      if (guard.allowsGroup(request.context(), AclOperation.DESCRIBE, group)) {
        allowed.add(group);
      } else {
        answer.groups().add(failed(group, Errors.GROUP_AUTHORIZATION_FAILED, null));
      }
    }
    CompletableFuture<List<DescribedGroup>> all =
        groups.coordinator().streamsGroupDescribe(request.context(), allowed);
    return all.thenApply(
        described -> {
          for (DescribedGroup group : described) {
            if (asked.includeAuthorizedOperations() && group.errorCode() == Errors.NONE.code()) {
              group.setAuthorizedOperations(
                  guard.operations(request.context(), ResourceType.GROUP, group.groupId()));
            }
            answer.groups().add(shown(request, group));
          }
          return Reply.of(new StreamsGroupDescribeResponse(answer));
        });
  }

  private DescribedGroup shown(Request<?> request, DescribedGroup group) {
    boolean hidden =
        group.topology() != null
            && group.topology().subtopologies().stream()
                .flatMap(StreamsGroupHandlers::named)
                .distinct()
                .anyMatch(
                    topic -> !guard.allowsTopic(request.context(), AclOperation.DESCRIBE, topic));
    return hidden
        ? failed(
            group.groupId(),
            Errors.TOPIC_AUTHORIZATION_FAILED,
            "The described group uses topics that the client is not authorized to describe.")
        : group;
  }

  private static Stream<String> named(StreamsGroupDescribeResponseData.Subtopology part) {
    return Stream.of(
            part.sourceTopics().stream(),
            part.repartitionSinkTopics().stream(),
            part.repartitionSourceTopics().stream().map(topic -> topic.name()),
            part.stateChangelogTopics().stream().map(topic -> topic.name()))
        .flatMap(names -> names);
  }

  private static DescribedGroup failed(String group, Errors error, @Nullable String message) {
    return new DescribedGroup()
        .setGroupId(group)
        .setErrorCode(error.code())
        .setErrorMessage(message)
        .setMembers(List.of())
        .setTopology(null);
  }

  private void requireSwitchedOn() {
    if (!groups.streamsProtocol()) {
      throw Errors.UNSUPPORTED_VERSION.exception();
    }
  }
}

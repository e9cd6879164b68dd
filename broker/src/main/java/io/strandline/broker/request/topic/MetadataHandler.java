package io.strandline.broker.request.topic;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.MetadataRequest;
import org.apache.kafka.common.requests.MetadataResponse;
import org.apache.kafka.common.resource.Resource;
import org.apache.kafka.common.resource.ResourceType;
import org.jspecify.annotations.Nullable;

/**
 * Metadata: brokers, topics, leaders. Creates the topics that are missing when both the broker
 * ({@code auto.create.topics.enable}) and the client want that.
 */
public final class MetadataHandler implements Handler<MetadataRequest> {
  private static final String AUTO_CREATE = "auto.create.topics.enable";

  private final ControlPlane control;
  private final Guard guard;
  private final boolean createMissing;
  private final ReplayBrokers replays;
  private final MissingTopics creation;

  public MetadataHandler(
      ControlPlane control, Guard guard, ReplayBrokers replays, ScheduledExecutorService timer) {
    this.control = control;
    this.guard = guard;
    this.replays = replays;
    this.creation = new MissingTopics(control, timer);
    this.createMissing = control.kafkaConfig().getBoolean(AUTO_CREATE);
  }

  @Override
  public CompletionStage<Reply> handle(Request<MetadataRequest> request) {
    Asking asking = new Asking(request, control.view());
    asking.collect();
    if (asking.missing.isEmpty()) {
      return CompletableFuture.completedFuture(asking.reply());
    }
    boolean create = createMissing && request.body().allowAutoTopicCreation();
    if (create) {
      asking.refuseCreation();
    }
    if (!create || asking.missing.isEmpty()) {
      asking.answerMissing(Map.of());
      return CompletableFuture.completedFuture(asking.reply());
    }
    return creation
        .create(asking.creatable(), request.context())
        .thenApply(
            errors -> {
              asking.answerMissing(errors);
              return asking.reply();
            });
  }

  /** One request on its way to its answer. */
  private final class Asking {
    private final Request<MetadataRequest> request;
    private final ClusterView view;
    private final List<MetadataResponseTopic> answers = new ArrayList<>();
    private final Set<String> missing = new LinkedHashSet<>();

    Asking(Request<MetadataRequest> request, ClusterView view) {
      this.request = request;
      this.view = view;
    }

    void collect() {
      MetadataRequest body = request.body();
      Set<String> names = new LinkedHashSet<>();
      boolean byId = false;
      if (body.isAllTopics()) {
        names.addAll(view.topics());
        names.removeIf(
            name ->
                !guard.shows(request.context(), AclOperation.DESCRIBE, ResourceType.TOPIC, name));
      } else {
        for (var topic : body.data().topics()) {
          byId |= !topic.topicId().equals(Uuid.ZERO_UUID);
          String name = nameOf(topic.name(), topic.topicId());
          if (name != null && mayDescribe(name, topic.topicId())) {
            names.add(name);
          }
        }
      }
      List<MetadataResponseTopic> found = describe(view, names);
      answers.addAll(found);
      if (!byId && !body.isAllTopics()) {
        missing.addAll(names);
        found.forEach(topic -> missing.remove(topic.name()));
      }
    }

    private @Nullable String nameOf(@Nullable String name, Uuid id) {
      short version = request.version();
      if (version < 12 && (name == null || !id.equals(Uuid.ZERO_UUID))) {
        throw new InvalidRequestException("topic ids are not served in version " + version);
      }
      if (id.equals(Uuid.ZERO_UUID)) {
        return name;
      }
      String known = view.topicName(id);
      if (known == null) {
        answers.add(failed(Errors.UNKNOWN_TOPIC_ID, null, id));
      }
      return known;
    }

    private boolean mayDescribe(String name, Uuid id) {
      boolean may = guard.allowsTopic(request.context(), AclOperation.DESCRIBE, name);
      if (!may) {
        boolean byId = !id.equals(Uuid.ZERO_UUID);
        answers.add(failed(Errors.TOPIC_AUTHORIZATION_FAILED, byId ? null : name, id));
      }
      return may;
    }

    /** Leaves out what the client may not create, though it may know of it. */
    void refuseCreation() {
      boolean any =
          guard.shows(
              request.context(), AclOperation.CREATE, ResourceType.CLUSTER, Resource.CLUSTER_NAME);
      if (any) {
        return;
      }
      missing.removeIf(
          name -> {
            boolean refused = !guard.allowsTopic(request.context(), AclOperation.CREATE, name);
            if (refused) {
              answers.add(failed(Errors.TOPIC_AUTHORIZATION_FAILED, name, Uuid.ZERO_UUID));
            }
            return refused;
          });
    }

    private List<MetadataResponseTopic> describe(ClusterView now, Set<String> names) {
      short version = request.version();
      String listener = request.listener().value();
      List<MetadataResponseTopic> topics =
          now.topicMetadata(names, listener, version == 0, version >= 6);
      replays.lead(topics, now, listener);
      return topics;
    }

    Set<String> creatable() {
      Set<String> names = new LinkedHashSet<>(missing);
      names.removeIf(name -> !Topic.isValid(name));
      return names;
    }

    /**
     * @param errors of topics whose creation was tried
     */
    void answerMissing(Map<String, ApiError> errors) {
      List<MetadataResponseTopic> created =
          errors.isEmpty() ? List.of() : describe(control.view(), missing);
      answers.addAll(created);
      created.forEach(topic -> missing.remove(topic.name()));
      for (String name : missing) {
        Errors error = errors.getOrDefault(name, ApiError.NONE).error();
        answers.add(failed(errorOf(name, error), name, Uuid.ZERO_UUID));
      }
    }

    private Errors errorOf(String name, Errors creation) {
      try {
        Topic.validate(name);
      } catch (InvalidTopicException invalid) {
        return Errors.INVALID_TOPIC_EXCEPTION;
      }
      // Of all else the client asks again: to others, which may pass, it would not for minutes.
      return creation == Errors.INVALID_TOPIC_EXCEPTION
              || creation == Errors.TOPIC_AUTHORIZATION_FAILED
          ? creation
          : Errors.UNKNOWN_TOPIC_OR_PARTITION;
    }

    Reply reply() {
      MetadataRequest body = request.body();
      ClusterView now = control.view();
      if (body.data().includeTopicAuthorizedOperations()) {
        for (MetadataResponseTopic topic : answers) {
          if (topic.name() != null && topic.errorCode() == Errors.NONE.code()) {
            topic.setTopicAuthorizedOperations(
                guard.operations(request.context(), ResourceType.TOPIC, topic.name()));
          }
        }
      }
      return Reply.of(
          MetadataResponse.prepareResponse(
              request.version(),
              0,
              now.brokers(request.listener().value()),
              now.clusterId(),
              now.controllerForClients(request.listener().value()),
              answers,
              clusterOperations(body)));
    }

    private int clusterOperations(MetadataRequest body) {
      return body.data().includeClusterAuthorizedOperations()
          ? guard.clusterOperations(request.context())
          : MetadataResponse.AUTHORIZED_OPERATIONS_OMITTED;
    }
  }

  private static MetadataResponseTopic failed(Errors error, @Nullable String name, Uuid id) {
    return new MetadataResponseTopic()
        .setErrorCode(error.code())
        .setName(name)
        .setTopicId(id)
        .setIsInternal(name != null && Topic.isInternal(name))
        .setPartitions(List.of());
  }
}

package io.strandline.broker.control;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;
import org.apache.kafka.common.errors.AuthenticationException;
import org.apache.kafka.common.errors.InvalidTopicException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.CreateTopicsRequestData;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicCollection;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopicConfig;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.CreateTopicsRequest;
import org.apache.kafka.common.requests.CreateTopicsResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.server.TopicCreator;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Creates the topics that clients name before they exist, and the internal ones. One request per
 * topic is under way at a time; who asks meanwhile shares its result.
 */
final class TopicCreation {
  private static final Logger LOG = LoggerFactory.getLogger(TopicCreation.class);

  private final TopicCreator creator;
  private final AbstractKafkaConfig config;
  private final Map<String, CompletableFuture<ApiError>> underWay = new ConcurrentHashMap<>();

  TopicCreation(TopicCreator creator, AbstractKafkaConfig config) {
    this.creator = creator;
    this.config = config;
  }

  /** See {@link ControlPlane#createTopics}. */
  CompletableFuture<Map<String, ApiError>> create(
      Set<String> topics, @Nullable RequestContext client) {
    return create(topics, this::describe, client);
  }

  /**
   * @param described what to create under a name
   */
  CompletableFuture<Map<String, ApiError>> create(
      Set<String> topics,
      Function<String, CreatableTopic> described,
      @Nullable RequestContext client) {
    Map<String, CompletableFuture<ApiError>> answers = new HashMap<>();
    Set<String> mine = new HashSet<>();
    for (String topic : topics) {
      CompletableFuture<ApiError> fresh = new CompletableFuture<>();
      try {
        Topic.validate(topic);
        CompletableFuture<ApiError> earlier = underWay.putIfAbsent(topic, fresh);
        if (earlier == null) {
          mine.add(topic);
        }
        answers.put(topic, earlier == null ? fresh : earlier);
      } catch (InvalidTopicException e) {
        answers.put(topic, CompletableFuture.completedFuture(ApiError.fromThrowable(e)));
      }
    }
    if (!mine.isEmpty()) {
      try {
        send(mine, described, client);
      } catch (RuntimeException failure) {
        LOG.atError().addKeyValue("topics", mine).setCause(failure).log("could not be created");
        mine.forEach(topic -> finish(topic, ApiError.fromThrowable(failure)));
      }
    }
    return CompletableFuture.allOf(answers.values().toArray(CompletableFuture[]::new))
        .thenApply(
            done -> {
              Map<String, ApiError> errors = new HashMap<>();
              answers.forEach((topic, answer) -> errors.put(topic, answer.join()));
              return errors;
            });
  }

  private void send(
      Set<String> topics,
      Function<String, CreatableTopic> described,
      @Nullable RequestContext client) {
    CreatableTopicCollection wanted = new CreatableTopicCollection(topics.size());
    topics.forEach(topic -> wanted.add(described.apply(topic)));
    CreateTopicsRequest.Builder request =
        new CreateTopicsRequest.Builder(
            new CreateTopicsRequestData()
                .setTimeoutMs(config.requestTimeoutMs())
                .setTopics(wanted));
    CompletableFuture<CreateTopicsResponse> response =
        client == null
            ? creator.createTopicWithoutPrincipal(request)
            : creator.createTopicWithPrincipal(client, request);
    var unused =
        response.whenComplete(
            (answer, failure) -> {
              Map<String, ApiError> errors = new HashMap<>();
              if (answer != null) {
                answer
                    .data()
                    .topics()
                    .forEach(
                        topic ->
                            errors.put(
                                topic.name(),
                                new ApiError(
                                    Errors.forCode(topic.errorCode()), topic.errorMessage())));
              }
              ApiError otherwise =
                  failure == null
                      ? new ApiError(
                          Errors.UNKNOWN_SERVER_ERROR, "the controller left the topic out")
                      : reason(failure);
              topics.forEach(topic -> finish(topic, errors.getOrDefault(topic, otherwise)));
            });
  }

  /** A broker that can not log in to the controller does not say that its client can not. */
  private static ApiError reason(Throwable failure) {
    Throwable cause = failure instanceof CompletionException ? failure.getCause() : failure;
    return cause instanceof AuthenticationException
        ? new ApiError(Errors.UNKNOWN_SERVER_ERROR, Channels.NOT_LOGGED_IN)
        : ApiError.fromThrowable(failure);
  }

  private void finish(String topic, ApiError error) {
    CompletableFuture<ApiError> waiting = underWay.remove(topic);
    if (waiting != null) {
      waiting.complete(error);
    }
  }

  private CreatableTopic describe(String topic) {
    return switch (topic) {
      case Topic.GROUP_METADATA_TOPIC_NAME ->
          internal(
              topic,
              config.getInt("offsets.topic.num.partitions"),
              config.getShort("offsets.topic.replication.factor"),
              Map.of(
                  "cleanup.policy", "compact",
                  "compression.type", "producer",
                  "segment.bytes", text("offsets.topic.segment.bytes")));
      case Topic.TRANSACTION_STATE_TOPIC_NAME ->
          internal(
              topic,
              config.getInt("transaction.state.log.num.partitions"),
              config.getShort("transaction.state.log.replication.factor"),
              Map.of(
                  "unclean.leader.election.enable", "false",
                  "compression.type", "uncompressed",
                  "cleanup.policy", "compact",
                  "min.insync.replicas", text("transaction.state.log.min.isr"),
                  "segment.bytes", text("transaction.state.log.segment.bytes")));
      case Topic.SHARE_GROUP_STATE_TOPIC_NAME ->
          internal(
              topic,
              config.getInt("share.coordinator.state.topic.num.partitions"),
              config.getShort("share.coordinator.state.topic.replication.factor"),
              Map.of(
                  "cleanup.policy", "delete",
                  "compression.type", "producer",
                  "segment.bytes", text("share.coordinator.state.topic.segment.bytes"),
                  "min.insync.replicas", text("share.coordinator.state.topic.min.isr"),
                  "retention.ms", "-1"));
      default ->
          new CreatableTopic()
              .setName(topic)
              .setNumPartitions(
                  config.originals().containsKey("num.partitions")
                      ? config.getInt("num.partitions")
                      : CreateTopicsRequest.NO_NUM_PARTITIONS)
              .setReplicationFactor(
                  config.originals().containsKey("default.replication.factor")
                      ? config.getInt("default.replication.factor").shortValue()
                      : CreateTopicsRequest.NO_REPLICATION_FACTOR);
    };
  }

  private String text(String key) {
    return String.valueOf(config.values().get(key));
  }

  private static CreatableTopic internal(
      String topic, int partitions, short replicas, Map<String, String> configs) {
    CreatableTopic wanted =
        new CreatableTopic()
            .setName(topic)
            .setNumPartitions(partitions)
            .setReplicationFactor(replicas);
    configs.forEach(
        (name, value) ->
            wanted.configs().add(new CreatableTopicConfig().setName(name).setValue(value)));
    return wanted;
  }
}

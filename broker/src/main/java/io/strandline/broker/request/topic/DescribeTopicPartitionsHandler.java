package io.strandline.broker.request.topic;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.message.DescribeTopicPartitionsRequestData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData.DescribeTopicPartitionsResponseTopic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeTopicPartitionsRequest;
import org.apache.kafka.common.requests.DescribeTopicPartitionsResponse;
import org.apache.kafka.common.resource.ResourceType;

/** DescribeTopicPartitions: topics by pages of partitions, in order of their names (KIP-966). */
public final class DescribeTopicPartitionsHandler
    implements Handler<DescribeTopicPartitionsRequest> {
  private static final String PAGE_MAX = "max.request.partition.size.limit";

  private final ControlPlane control;
  private final Guard guard;
  private final int partitionsMax;
  private final ReplayBrokers replays;

  public DescribeTopicPartitionsHandler(ControlPlane control, Guard guard, ReplayBrokers replays) {
    this.control = control;
    this.guard = guard;
    this.replays = replays;
    this.partitionsMax = control.kafkaConfig().getInt(PAGE_MAX);
  }

  @Override
  public CompletionStage<Reply> handle(Request<DescribeTopicPartitionsRequest> request) {
    DescribeTopicPartitionsRequestData asked = request.body().data();
    ClusterView view = control.view();
    boolean all = asked.topics().isEmpty();
    var cursor = asked.cursor();
    String first = cursor == null ? "" : cursor.topicName();
    int firstPartition = cursor == null ? 0 : cursor.partitionIndex();
    Set<String> names = new TreeSet<>();
    if (all) {
      names.addAll(view.topics());
    } else {
      asked.topics().forEach(topic -> names.add(topic.name()));
      if (cursor != null && !names.contains(first)) {
        throw new InvalidRequestException("the cursor's topic " + first + " is not asked for");
      }
    }
    if (firstPartition < 0) {
      throw new InvalidRequestException("the cursor's partition is " + firstPartition);
    }
    names.removeIf(name -> name.compareTo(first) < 0);
    List<DescribeTopicPartitionsResponseTopic> denied = new ArrayList<>();
    names.removeIf(name -> isDenied(request, name, all, denied));
    DescribeTopicPartitionsResponseData answer =
        view.describeTopicPartitions(
            names.iterator(),
            request.listener().value(),
            topic -> topic.equals(first) ? firstPartition : 0,
            Math.max(1, Math.min(partitionsMax, asked.responsePartitionLimit())),
            all);
    replays.describe(answer.topics(), view, request.listener().value());
    answer
        .topics()
        .forEach(
            topic ->
                topic.setTopicAuthorizedOperations(
                    guard.operations(request.context(), ResourceType.TOPIC, topic.name())));
    answer.topics().addAll(denied);
    return CompletableFuture.completedFuture(Reply.of(new DescribeTopicPartitionsResponse(answer)));
  }

  private boolean isDenied(
      Request<?> request,
      String name,
      boolean silently,
      List<DescribeTopicPartitionsResponseTopic> denied) {
    if (guard.allowsTopic(request.context(), AclOperation.DESCRIBE, name)) {
      return false;
    }
    if (!silently) {
      denied.add(
          new DescribeTopicPartitionsResponseTopic()
              .setErrorCode(Errors.TOPIC_AUTHORIZATION_FAILED.code())
              .setName(name)
              .setTopicId(Uuid.ZERO_UUID)
              .setPartitions(List.of()));
    }
    return true;
  }
}

package io.strandline.broker.request.admin;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.log.LogMove;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.io.IOException;
import java.nio.file.FileStore;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeLogDirsResponseData;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsPartition;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsResult;
import org.apache.kafka.common.message.DescribeLogDirsResponseData.DescribeLogDirsTopic;
import org.apache.kafka.common.message.DescribeProducersResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeLogDirsRequest;
import org.apache.kafka.common.requests.DescribeLogDirsResponse;
import org.apache.kafka.common.requests.DescribeProducersRequest;
import org.apache.kafka.common.requests.DescribeProducersResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.jspecify.annotations.Nullable;

/** DescribeLogDirs and DescribeProducers: what lies in the logs of this broker. */
public final class LogHandlers {
  private final ControlPlane control;
  private final Partitions partitions;
  private final Guard guard;
  private final Executor disk;

  /**
   * @param disk for looks at file systems, which may wait
   */
  public LogHandlers(ControlPlane control, Partitions partitions, Guard guard, Executor disk) {
    this.control = control;
    this.partitions = partitions;
    this.guard = guard;
    this.disk = disk;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.DESCRIBE_LOG_DIRS, (Handler<DescribeLogDirsRequest>) this::directories)
        .add(ApiKeys.DESCRIBE_PRODUCERS, (Handler<DescribeProducersRequest>) this::producers);
  }

  private CompletionStage<Reply> directories(Request<DescribeLogDirsRequest> request) {
    guard.requireCluster(request.context(), AclOperation.DESCRIBE);
    return CompletableFuture.supplyAsync(
        () -> Reply.of(new DescribeLogDirsResponse(describe(request.body()))), disk);
  }

  private DescribeLogDirsResponseData describe(DescribeLogDirsRequest asked) {
    Set<TopicPartition> wanted = new HashSet<>();
    if (!asked.isAllTopicPartitions()) {
      for (var topic : asked.data().topics()) {
        topic.partitions().forEach(p -> wanted.add(new TopicPartition(topic.topic(), p)));
      }
    }
    Map<Path, DescribeLogDirsResult> found = new LinkedHashMap<>();
    List<Path> offline = partitions.home().offline();
    Set<Path> cordoned = control.cordonedDirectories();
    for (Path path : partitions.home().paths()) {
      found.put(path, directory(path, offline.contains(path)));
    }
    for (Partition partition : partitions.all()) {
      TopicPartition tp = partition.id().topicPartition();
      if (asked.isAllTopicPartitions() || wanted.contains(tp)) {
        PartitionLog log = partition.log();
        add(found.get(log.directory().path()), tp, sizeOf(tp, partition, log));
        partitions
            .moves()
            .of(tp)
            .ifPresent(move -> add(found.get(move.to().path()), tp, sizeOf(tp, log, move)));
      }
    }
    found.forEach((path, result) -> result.setIsCordoned(cordoned.contains(path)));
    DescribeLogDirsResponseData answer = new DescribeLogDirsResponseData();
    answer.results().addAll(found.values());
    return answer;
  }

  /** Of a directory that failed nothing is told but that. */
  private static void add(
      @Nullable DescribeLogDirsResult directory, TopicPartition tp, DescribeLogDirsPartition log) {
    if (directory != null && directory.errorCode() == Errors.NONE.code()) {
      topic(directory, tp.topic()).partitions().add(log);
    }
  }

  /** A copy that is to take the log's place. */
  private static DescribeLogDirsPartition sizeOf(
      TopicPartition tp, PartitionLog log, LogMove move) {
    return new DescribeLogDirsPartition()
        .setPartitionIndex(tp.partition())
        .setPartitionSize(move.sizeBytes())
        .setOffsetLag(Math.max(0, log.logEndOffset() - move.endOffset()))
        .setIsFutureKey(true);
  }

  private static DescribeLogDirsPartition sizeOf(
      TopicPartition tp, Partition partition, PartitionLog log) {
    return new DescribeLogDirsPartition()
        .setPartitionIndex(tp.partition())
        .setPartitionSize(log.sizeBytes())
        .setOffsetLag(Math.max(0, partition.highWatermark() - log.logEndOffset()))
        .setIsFutureKey(false);
  }

  private static DescribeLogDirsTopic topic(DescribeLogDirsResult directory, String name) {
    for (DescribeLogDirsTopic topic : directory.topics()) {
      if (topic.name().equals(name)) {
        return topic;
      }
    }
    DescribeLogDirsTopic topic = new DescribeLogDirsTopic().setName(name);
    directory.topics().add(topic);
    return topic;
  }

  private static DescribeLogDirsResult directory(Path path, boolean failed) {
    DescribeLogDirsResult result =
        new DescribeLogDirsResult().setLogDir(path.toAbsolutePath().toString());
    if (failed) {
      return result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
    }
    try {
      FileStore store = Files.getFileStore(path);
      result.setTotalBytes(store.getTotalSpace()).setUsableBytes(store.getUsableSpace());
    } catch (IOException e) {
      result.setErrorCode(Errors.KAFKA_STORAGE_ERROR.code());
    }
    return result;
  }

  private CompletionStage<Reply> producers(Request<DescribeProducersRequest> request) {
    DescribeProducersResponseData answer = new DescribeProducersResponseData();
    for (var topic : request.body().data().topics()) {
      var topicAnswer = new DescribeProducersResponseData.TopicResponse().setName(topic.name());
      Errors refusal = refusal(request.context(), topic.name());
      for (int index : topic.partitionIndexes()) {
        topicAnswer
            .partitions()
            .add(
                refusal != Errors.NONE
                    ? failed(refusal).setPartitionIndex(index)
                    : producers(new TopicPartition(topic.name(), index)));
      }
      answer.topics().add(topicAnswer);
    }
    return CompletableFuture.completedFuture(Reply.of(new DescribeProducersResponse(answer)));
  }

  private Errors refusal(RequestContext who, String topic) {
    if (!Topic.isValid(topic)) {
      return Errors.INVALID_TOPIC_EXCEPTION;
    }
    return guard.allowsTopic(who, AclOperation.READ, topic)
        ? Errors.NONE
        : Errors.TOPIC_AUTHORIZATION_FAILED;
  }

  private DescribeProducersResponseData.PartitionResponse producers(TopicPartition tp) {
    try {
      return new DescribeProducersResponseData.PartitionResponse()
          .setPartitionIndex(tp.partition())
          .setActiveProducers(replica(tp).log().activeProducers());
    } catch (RuntimeException failure) {
      return failed(Dispatcher.error(failure)).setPartitionIndex(tp.partition());
    }
  }

  /** Each replica may be asked what it knows, as by {@code DescribeProducersOptions.brokerId}. */
  private Partition replica(TopicPartition tp) {
    return partitions.replicaOrThrow(new TopicIdPartition(Uuid.ZERO_UUID, tp));
  }

  private static DescribeProducersResponseData.PartitionResponse failed(Errors error) {
    return new DescribeProducersResponseData.PartitionResponse()
        .setErrorCode(error.code())
        .setErrorMessage(error.message());
  }
}

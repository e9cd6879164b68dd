package io.strandline.broker.request.admin;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirPartitionResult;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterReplicaLogDirsRequest;
import org.apache.kafka.common.requests.AlterReplicaLogDirsResponse;

/**
 * AlterReplicaLogDirs, on a node with one log directory: each replica is where it can be. With
 * several it is not served: logs are not moved between directories yet.
 */
public final class LogDirMoves {
  private final ControlPlane control;
  private final Partitions partitions;
  private final Guard guard;

  public LogDirMoves(ControlPlane control, Partitions partitions, Guard guard) {
    this.control = control;
    this.partitions = partitions;
    this.guard = guard;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return control.directories().size() == 1
        ? table.add(
            ApiKeys.ALTER_REPLICA_LOG_DIRS, (Handler<AlterReplicaLogDirsRequest>) this::move)
        : table;
  }

  private CompletionStage<Reply> move(Request<AlterReplicaLogDirsRequest> request) {
    guard.requireCluster(request.context(), AclOperation.ALTER);
    Map<String, List<AlterReplicaLogDirPartitionResult>> byTopic = new LinkedHashMap<>();
    request
        .body()
        .partitionDirs()
        .forEach(
            (partition, directory) ->
                byTopic
                    .computeIfAbsent(partition.topic(), topic -> new ArrayList<>())
                    .add(
                        new AlterReplicaLogDirPartitionResult()
                            .setPartitionIndex(partition.partition())
                            .setErrorCode(judge(partition, directory).code())));
    AlterReplicaLogDirsResponseData answer = new AlterReplicaLogDirsResponseData();
    byTopic.forEach(
        (topic, results) ->
            answer
                .results()
                .add(
                    new AlterReplicaLogDirTopicResult()
                        .setTopicName(topic)
                        .setPartitions(results)));
    return CompletableFuture.completedFuture(Reply.of(new AlterReplicaLogDirsResponse(answer)));
  }

  private Errors judge(TopicPartition partition, String directory) {
    boolean here =
        control.directories().keySet().stream()
            .anyMatch(path -> path.toAbsolutePath().toString().equals(directory));
    if (!here) {
      return Errors.LOG_DIR_NOT_FOUND;
    }
    if (!partitions.anyDirectoryOnline()) {
      return Errors.KAFKA_STORAGE_ERROR;
    }
    if (partitions.hosted(partition).isPresent()) {
      return Errors.NONE;
    }
    int count = control.view().partitionCount(partition.topic()).orElse(0);
    return partition.partition() >= 0 && partition.partition() < count
        ? Errors.REPLICA_NOT_AVAILABLE
        : Errors.UNKNOWN_TOPIC_OR_PARTITION;
  }
}

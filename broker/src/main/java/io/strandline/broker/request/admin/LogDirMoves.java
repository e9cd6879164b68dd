package io.strandline.broker.request.admin;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirPartitionResult;
import org.apache.kafka.common.message.AlterReplicaLogDirsResponseData.AlterReplicaLogDirTopicResult;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterReplicaLogDirsRequest;
import org.apache.kafka.common.requests.AlterReplicaLogDirsResponse;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** AlterReplicaLogDirs: replicas are to lie in other log directories of this broker (KIP-113). */
public final class LogDirMoves {
  private static final Logger LOG = LoggerFactory.getLogger(LogDirMoves.class);
  private final Partitions partitions;
  private final Guard guard;
  private final Executor disk;

  /**
   * @param disk where directories are made
   */
  public LogDirMoves(Partitions partitions, Guard guard, Executor disk) {
    this.partitions = partitions;
    this.guard = guard;
    this.disk = disk;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table.add(
        ApiKeys.ALTER_REPLICA_LOG_DIRS, (Handler<AlterReplicaLogDirsRequest>) this::move);
  }

  private CompletionStage<Reply> move(Request<AlterReplicaLogDirsRequest> request) {
    guard.requireCluster(request.context(), AclOperation.ALTER);
    // Clients that have just heard of a partition ask for it: its log may be on the way.
    return partitions.settled().thenApplyAsync(done -> moved(request), disk);
  }

  private Reply moved(Request<AlterReplicaLogDirsRequest> request) {
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
                            .setErrorCode(begin(partition, directory).code())));
    AlterReplicaLogDirsResponseData answer = new AlterReplicaLogDirsResponseData();
    byTopic.forEach(
        (topic, results) ->
            answer
                .results()
                .add(
                    new AlterReplicaLogDirTopicResult()
                        .setTopicName(topic)
                        .setPartitions(results)));
    return Reply.of(new AlterReplicaLogDirsResponse(answer));
  }

  private Errors begin(TopicPartition partition, String directory) {
    try {
      partitions.moves().request(partition, directory);
      return Errors.NONE;
    } catch (RuntimeException refused) {
      Errors error = Dispatcher.error(refused);
      LOG.atInfo()
          .addKeyValue("partition", partition)
          .addKeyValue("path", directory)
          .addKeyValue("reason", refused.getMessage())
          .log("is not moved");
      return error;
    }
  }
}

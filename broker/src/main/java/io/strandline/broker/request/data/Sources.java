package io.strandline.broker.request.data;

import io.strandline.broker.history.HistoryPartitions;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.request.Request;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;

/**
 * Where clients read from: replicas that are here, or every partition of the cluster if this is a
 * replay broker, whichever broker leads it.
 *
 * @param history of a replay broker
 * @param replays which clients are to read from replay brokers
 */
record Sources(Partitions hosted, Optional<HistoryPartitions> history, ReplayBrokers replays) {
  /**
   * Whether who asks in vain for a partition may be told who leads it (KIP-951): clients of replay
   * brokers would read its history there until they ask for metadata.
   */
  boolean nameLeaders(Request<?> request) {
    return !replays.toldBy(request.listener().value());
  }

  /**
   * @throws org.apache.kafka.common.errors.ApiException there is no such partition, or it is not
   *     led here
   */
  PartitionRead.Source leader(TopicPartition partition) {
    return history.isPresent() ? history.get().find(partition) : hosted.leaderOrThrow(partition);
  }

  /** As above, for a request that names the topic by id. */
  PartitionRead.Source leader(TopicIdPartition partition) {
    return history.isPresent()
        ? history.get().find(partition.topicPartition())
        : hosted.leaderOrThrow(partition);
  }

  /** As above, led or followed here (KIP-392). */
  PartitionRead.Source replica(TopicIdPartition partition) {
    return history.isPresent()
        ? history.get().find(partition.topicPartition())
        : hosted.replicaOrThrow(partition);
  }
}

package io.strandline.broker.partition.keep;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.Partition;
import java.util.Map;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.InconsistentTopicIdException;
import org.apache.kafka.common.errors.KafkaStorageException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** Finds replicas that are here by what requests say of them. Threads: any. */
public record Hosts(Map<TopicPartition, Partition> hosted, ControlPlane control, Home home) {
  /**
   * The replica of this name.
   *
   * @throws NotLeaderOrFollowerException it is elsewhere
   * @throws UnknownTopicOrPartitionException there is none
   * @throws KafkaStorageException its directory failed, or its log cannot be read
   */
  public Partition find(TopicPartition partition) {
    Partition found = hosted.get(partition);
    if (found == null) {
      ClusterView view = control.view();
      PartitionState known =
          view.partition(partition)
              .orElseThrow(() -> new UnknownTopicOrPartitionException("there is no " + partition));
      boolean here = known.replicas().contains(view.nodeId());
      if (here && home.mayBeOffline(known.directory())) {
        throw new KafkaStorageException(partition + " lies in a log directory that failed");
      }
      throw here && home.refused(known.id())
          ? new KafkaStorageException("the log of " + partition + " cannot be read")
          : new NotLeaderOrFollowerException(partition + " is not here");
    }
    return found;
  }

  /**
   * The same, if that is the topic that was meant.
   *
   * @throws InconsistentTopicIdException the name has another id
   */
  public static Partition named(TopicIdPartition partition, Partition found) {
    if (!partition.topicId().equals(Uuid.ZERO_UUID)
        && !partition.topicId().equals(found.id().topicId())) {
      throw new InconsistentTopicIdException(
          partition.topic() + " has id " + found.id().topicId() + ", not " + partition.topicId());
    }
    return found;
  }
}

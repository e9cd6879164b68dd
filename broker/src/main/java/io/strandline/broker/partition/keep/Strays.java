package io.strandline.broker.partition.keep;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.Partition;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.TopicIdPartition;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Logs of topics that are gone, or of replicas that moved, while this broker was away. */
public final class Strays {
  private static final Logger LOG = LoggerFactory.getLogger(Strays.class);

  private Strays() {}

  /**
   * Those to be deleted. A cluster that knows no topic at all is more likely the wrong one than an
   * empty one: then everything stays.
   */
  public static List<TopicIdPartition> among(Collection<Partition> hosted, ClusterView now) {
    List<TopicIdPartition> strays = new ArrayList<>();
    if (now.topics().isEmpty() && !hosted.isEmpty()) {
      LOG.atWarn()
          .addKeyValue("count", hosted.size())
          .log("the cluster knows no topic; logs found here are left alone");
      return strays;
    }
    for (Partition partition : hosted) {
      Optional<PartitionState> state = now.partition(partition.id().topicPartition());
      boolean ours =
          state
              .filter(s -> s.id().topicId().equals(partition.id().topicId()))
              .filter(s -> s.replicas().contains(now.nodeId()))
              .isPresent();
      if (!ours) {
        LOG.atInfo().addKeyValue("partition", partition.id()).log("is no longer ours, deleted");
        strays.add(partition.id());
      }
    }
    return strays;
  }
}

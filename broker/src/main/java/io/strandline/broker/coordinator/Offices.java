package io.strandline.broker.coordinator;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.Partitions;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicPartition;

/**
 * Who leads: as the metadata has it, by which coordinators are elected, and as the partitions'
 * owners have taken it up, which is later. An owner that still leads in an earlier tenure loses
 * office before it leads in the next, and whoever listened to it is forgotten.
 *
 * @param view of the metadata now
 */
public record Offices(Partitions partitions, Supplier<ClusterView> view) {
  /** The leader epoch that the metadata has come to, -1 if it has no such partition. */
  int epoch(TopicPartition partition) {
    return view.get().partition(partition).map(PartitionState::leaderEpoch).orElse(-1);
  }

  /** Whether the metadata has this broker lead it, who may not have taken it up yet. */
  boolean elected(TopicPartition partition) {
    ClusterView now = view.get();
    return now.partition(partition).filter(state -> state.leader() == now.nodeId()).isPresent();
  }

  /** The partition, if it is led here in this leader epoch or a later one. */
  Optional<Partition> leader(TopicPartition partition, int sinceEpoch) {
    return partitions.hosted(partition).filter(hosted -> hosted.leadsSince(sinceEpoch));
  }
}

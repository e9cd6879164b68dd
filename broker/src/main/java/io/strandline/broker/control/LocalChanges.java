package io.strandline.broker.control;

import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * What one step of the metadata means for the replicas of this node.
 *
 * @param elected partitions whose leader epoch rose with this node as leader; also in {@code
 *     leaders}
 * @param leaders partitions led by this node of which anything changed
 * @param followers partitions followed by this node of which anything changed
 * @param deleted replicas that no longer belong here, because the topic was deleted or the
 *     partition moved away
 * @param deletedTopics ids of topics that no longer exist anywhere
 * @param directories replicas of this node whose assigned directory changed, or that are new here
 * @param reconfigured names of topics whose effective configuration may have changed; every topic
 *     of the cluster when a default of the broker changed
 */
public record LocalChanges(
    Map<TopicIdPartition, PartitionState> elected,
    Map<TopicIdPartition, PartitionState> leaders,
    Map<TopicIdPartition, PartitionState> followers,
    Set<TopicIdPartition> deleted,
    Set<Uuid> deletedTopics,
    Map<TopicIdPartition, Uuid> directories,
    Set<String> reconfigured) {

  /** No change at all. */
  public static final LocalChanges NONE =
      new LocalChanges(Map.of(), Map.of(), Map.of(), Set.of(), Set.of(), Map.of(), Set.of());
}

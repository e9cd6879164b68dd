package io.strandline.broker.control;

import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.LocalReplicaChanges;
import org.apache.kafka.image.LocalReplicaChanges.PartitionInfo;
import org.apache.kafka.image.MetadataDelta;

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

  /** The changes of {@code delta}, which leads from {@code before} to {@code now}. */
  static LocalChanges of(MetadataDelta delta, ImageView before, ImageView now) {
    if (delta.topicsDelta() == null && delta.configsDelta() == null) {
      return LocalChanges.NONE;
    }
    Set<String> reconfigured = reconfigured(delta, before, now);
    if (delta.topicsDelta() == null) {
      return new LocalChanges(
          Map.of(), Map.of(), Map.of(), Set.of(), Set.of(), Map.of(), reconfigured);
    }
    int node = now.nodeId();
    LocalReplicaChanges local = delta.topicsDelta().localChanges(node);
    return new LocalChanges(
        states(local.electedLeaders(), node),
        states(local.leaders(), node),
        states(local.followers(), node),
        deleted(local.deletes(), delta),
        Set.copyOf(delta.topicsDelta().deletedTopicIds()),
        Map.copyOf(local.directoryIds()),
        reconfigured);
  }

  private static Map<TopicIdPartition, PartitionState> states(
      Map<TopicPartition, PartitionInfo> from, int node) {
    Map<TopicIdPartition, PartitionState> states = new HashMap<>();
    from.forEach(
        (partition, info) -> {
          TopicIdPartition id = new TopicIdPartition(info.topicId(), partition);
          states.put(id, ImageView.state(id, info.partition(), node));
        });
    return Map.copyOf(states);
  }

  /** A replica that goes was there before: the image before the step knows its topic's id. */
  private static Set<TopicIdPartition> deleted(Set<TopicPartition> from, MetadataDelta delta) {
    Set<TopicIdPartition> deleted = new HashSet<>();
    for (TopicPartition partition : from) {
      var topic = delta.image().topics().getTopic(partition.topic());
      if (topic != null) {
        deleted.add(new TopicIdPartition(topic.id(), partition));
      }
    }
    return Set.copyOf(deleted);
  }

  private static Set<String> reconfigured(MetadataDelta delta, ImageView before, ImageView now) {
    if (delta.configsDelta() == null) {
      return Set.of();
    }
    if (before.config() != now.config()) {
      return Set.copyOf(now.topics());
    }
    Set<String> topics = new HashSet<>();
    for (ConfigResource resource : delta.configsDelta().changes().keySet()) {
      Uuid id = now.topicId(resource.name());
      if (resource.type() == ConfigResource.Type.TOPIC && !id.equals(Uuid.ZERO_UUID)) {
        topics.add(resource.name());
      }
    }
    return Set.copyOf(topics);
  }
}

package io.strandline.broker.share;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import java.util.List;
import java.util.Optional;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.server.share.SharePartitionKey;
import org.apache.kafka.server.share.persister.GroupTopicPartitionData;
import org.apache.kafka.server.share.persister.PartitionIdData;
import org.apache.kafka.server.share.persister.ShareCoordinatorMetadataCacheHelper;
import org.apache.kafka.server.share.persister.TopicData;

/**
 * Which broker keeps the state of a share partition, as the metadata says now: the leader of its
 * partition of {@code __share_group_state}.
 */
final class StateHomes implements ShareCoordinatorMetadataCacheHelper {
  private final ControlPlane control;
  private final ToIntFunction<SharePartitionKey> partitionFor;

  StateHomes(ControlPlane control, ToIntFunction<SharePartitionKey> partitionFor) {
    this.control = control;
    this.partitionFor = partitionFor;
  }

  /** Where the state is of all that a call is about. */
  enum Home {
    HERE,
    /** Of some of it at least. */
    ELSEWHERE,
    /** Of some of it there is no topic yet, or no leader. */
    UNKNOWN
  }

  Home of(GroupTopicPartitionData<? extends PartitionIdData> asked) {
    ClusterView now = control.view();
    Home home = Home.HERE;
    for (TopicData<? extends PartitionIdData> topic : asked.topicsData()) {
      for (PartitionIdData partition : topic.partitions()) {
        int leader =
            leader(
                now,
                SharePartitionKey.getInstance(
                    asked.groupId(), topic.topicId(), partition.partition()));
        if (leader >= 0 && leader != now.nodeId()) {
          return Home.ELSEWHERE;
        }
        home = leader < 0 ? Home.UNKNOWN : home;
      }
    }
    return home;
  }

  private int leader(ClusterView now, SharePartitionKey key) {
    TopicPartition state =
        new TopicPartition(Topic.SHARE_GROUP_STATE_TOPIC_NAME, partitionFor.applyAsInt(key));
    return now.partition(state).map(known -> known.leader()).orElse(-1);
  }

  // ---- for Kafka's persister

  @Override
  public boolean containsTopic(String topic) {
    return control.view().partitionCount(topic).isPresent();
  }

  @Override
  public Node getShareCoordinator(SharePartitionKey key, String internalTopicName) {
    int leader = leader(control.view(), key);
    Optional<Node> node = leader < 0 ? Optional.empty() : control.peers().node(leader);
    return node.orElse(Node.noNode());
  }

  @Override
  public List<Node> getClusterNodes() {
    return control.view().brokers(control.peers().listener());
  }
}

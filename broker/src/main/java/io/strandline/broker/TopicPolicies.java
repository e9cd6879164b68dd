package io.strandline.broker;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.partition.Partition;
import io.strandline.tiering.reclaim.TierPolicy;
import java.util.function.Supplier;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * What a topic's configuration means for the tier (design D12): on for every topic unless the
 * broker or the topic turns it off.
 */
record TopicPolicies(boolean enabled, Supplier<ClusterView> view) {
  private static final String TOPIC_SWITCH = "remote.storage.enable";

  boolean tiered(Partition partition) {
    String topic = partition.id().topic();
    return enabled && !"false".equals(view.get().topicOverrides(topic).get(TOPIC_SWITCH));
  }

  TierPolicy of(Partition partition) {
    LogConfig config = partition.config();
    boolean deletes = config.delete;
    return new TierPolicy(
        deletes ? config.retentionMs : -1,
        deletes ? config.retentionSize : -1,
        config.localRetentionMs(),
        config.localRetentionBytes(),
        Topic.isInternal(partition.id().topic()));
  }
}

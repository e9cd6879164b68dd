package io.strandline.broker;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.partition.Partition;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.reclaim.TierPolicy.Copying;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import java.util.Map;
import java.util.function.Supplier;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.storage.internals.log.LogConfig;

/**
 * What a topic's configuration means for the tier (design D12, KIP-950): it is on for every topic
 * unless the broker or the topic turns it off.
 *
 * @param enabled {@code strandline.tier.enable}
 */
record TopicPolicies(boolean enabled, Supplier<ClusterView> view) {
  boolean tiered(Partition partition) {
    return tiered(partition.id().topic());
  }

  boolean tiered(String topic) {
    return copying(topic) == Copying.ON;
  }

  TierPolicy of(Partition partition) {
    LogConfig config = partition.config();
    boolean deletes = config.delete;
    String topic = partition.id().topic();
    return new TierPolicy(
        deletes ? config.retentionMs : -1,
        deletes ? config.retentionSize : -1,
        config.localRetentionMs(),
        config.localRetentionBytes(),
        Topic.isInternal(topic),
        copying(topic));
  }

  /** Only the topic can have its history deleted: a broker's switch is too easily turned. */
  private Copying copying(String topic) {
    Map<String, String> own = view.get().topicOverrides(topic);
    boolean off = "false".equals(own.get(TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG));
    if (off && is(own, TopicConfig.REMOTE_LOG_DELETE_ON_DISABLE_CONFIG)) {
      return Copying.DROP;
    }
    return off || !enabled || is(own, TopicConfig.REMOTE_LOG_COPY_DISABLE_CONFIG)
        ? Copying.OFF
        : Copying.ON;
  }

  private static boolean is(Map<String, String> own, String key) {
    return "true".equals(own.get(key));
  }

  Compactable compactable(Partition partition) {
    return new Compactable(
        () -> compaction(partition), () -> partition.log().cleanable().lastOfProducers());
  }

  /** Once nothing more is copied, local bytes are all that grows: they stay. */
  private CompactionPolicy compaction(Partition partition) {
    LogConfig config = partition.config();
    return new CompactionPolicy(
        config.compact,
        config.minCleanableRatio,
        config.compactionLagMs,
        config.maxCompactionLagMs,
        config.deleteRetentionMs,
        config.segmentSize(),
        Topic.isInternal(partition.id().topic()) || !tiered(partition));
  }
}

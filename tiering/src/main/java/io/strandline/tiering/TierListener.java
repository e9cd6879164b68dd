package io.strandline.tiering;

import org.apache.kafka.common.TopicIdPartition;

/** Told of progress, after it is durable; must not block. */
@FunctionalInterface
public interface TierListener {
  void onProgress(TopicIdPartition partition, TierProgress progress);
}

package io.strandline.broker.replica;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Replicas that were away for so long that their leader has what they miss in the tier alone. They
 * begin anew at the tier's end rather than copy history that is there already. Threads: any.
 */
public final class Stragglers {
  private final Map<TopicIdPartition, FetchPosition> found = new ConcurrentHashMap<>();

  /**
   * @param position where it stood then: one that stands elsewhere when its turn comes has begun
   *     anew already, and may have caught up since
   */
  public void add(TopicIdPartition partition, FetchPosition position) {
    found.put(partition, position);
  }

  /** Those found since this was last asked. */
  public Map<TopicIdPartition, FetchPosition> take() {
    if (found.isEmpty()) {
      return Map.of();
    }
    Map<TopicIdPartition, FetchPosition> taken = Map.copyOf(found);
    taken.forEach(found::remove);
    return taken;
  }
}

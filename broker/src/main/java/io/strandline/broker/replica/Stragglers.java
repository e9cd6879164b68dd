package io.strandline.broker.replica;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Replicas that were away for so long that their leader has what they miss in the tier alone. They
 * begin anew at the tier's end rather than copy history that is there already. Threads: any.
 */
public final class Stragglers {
  private final Set<TopicIdPartition> found = ConcurrentHashMap.newKeySet();

  public void add(TopicIdPartition partition) {
    found.add(partition);
  }

  /** Those found since this was last asked. */
  public Set<TopicIdPartition> take() {
    if (found.isEmpty()) {
      return Set.of();
    }
    Set<TopicIdPartition> taken = Set.copyOf(found);
    found.removeAll(taken);
    return taken;
  }
}

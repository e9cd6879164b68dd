package io.strandline.broker.replica;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Partitions led here of which a replica has caught up without being let into the ISR, because it
 * was fenced, on its way out, or the controller refused. Their followers have nothing new to fetch
 * and so give no occasion to try again.
 */
public final class Hopes {
  private final Set<TopicIdPartition> waiting = ConcurrentHashMap.newKeySet();

  public void set(TopicIdPartition partition, boolean hopeful) {
    if (hopeful) {
      waiting.add(partition);
    } else {
      waiting.remove(partition);
    }
  }

  /** Those that wait now. */
  public Set<TopicIdPartition> waiting() {
    return waiting.isEmpty() ? Set.of() : Set.copyOf(waiting);
  }
}

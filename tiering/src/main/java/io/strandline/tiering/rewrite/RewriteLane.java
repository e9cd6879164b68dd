package io.strandline.tiering.rewrite;

import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicIdPartition;

/**
 * Lets so many partitions rewrite at a time, each by one chore, in the order in which they first
 * asked; who asks no more for a while has left. Nobody waits inside: whoever is refused asks again.
 * Threads: any.
 */
final class RewriteLane {
  private static final long FORGET_MS = 30_000;

  /** Partitions that were refused, and when they asked last. */
  private final Map<TopicIdPartition, Long> asking = new LinkedHashMap<>();

  private final Set<TopicIdPartition> inside = new HashSet<>();
  private final LongSupplier clockMs;
  private final IntSupplier places;

  RewriteLane(IntSupplier places, LongSupplier clockMs) {
    this.places = places;
    this.clockMs = clockMs;
  }

  /** Whether it may begin; {@link #leave} must follow then. */
  synchronized boolean enter(TopicIdPartition partition) {
    long nowMs = clockMs.getAsLong();
    asking.values().removeIf(askedMs -> nowMs - askedMs > FORGET_MS);
    if (inside.contains(partition)) {
      return false;
    }
    asking.put(partition, nowMs);
    if (!isAmongFirst(partition, places.getAsInt() - inside.size())) {
      return false;
    }
    asking.remove(partition);
    return inside.add(partition);
  }

  private boolean isAmongFirst(TopicIdPartition partition, int count) {
    Iterator<TopicIdPartition> first = asking.keySet().iterator();
    for (int i = 0; i < count && first.hasNext(); i++) {
      if (first.next().equals(partition)) {
        return true;
      }
    }
    return false;
  }

  synchronized void leave(TopicIdPartition partition) {
    inside.remove(partition);
  }
}

package io.strandline.broker.request.data;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.message.FetchRequestData.FetchPartition;
import org.apache.kafka.common.message.FetchRequestData.FetchTopic;
import org.apache.kafka.common.message.FetchRequestData.ForgottenTopic;
import org.jspecify.annotations.Nullable;

/**
 * The partitions that a client fetches, and a queue of those that may have something new for it
 * (KIP-227): so a fetch costs what changed, not what is subscribed. A partition that gave records
 * goes to the end of the queue, which is what makes the fetch fair.
 *
 * <p>One attempt at a time works on a set; {@link #enqueue} and {@link #wake} may be called by any
 * thread.
 */
final class FetchSet {
  private final Map<FetchKey, Interest> interests = new LinkedHashMap<>();
  private final Queue<Interest> dirty = new ConcurrentLinkedQueue<>();
  private final List<Interest> named = new ArrayList<>();
  private volatile @Nullable Runnable waiting;
  private long guardVersion;

  /** Takes over what a request says of its partitions; each it names becomes dirty. */
  void update(FetchRequestData request) {
    named.clear();
    for (ForgottenTopic topic : request.forgottenTopicsData()) {
      for (int partition : topic.partitions()) {
        Interest gone = interests.remove(FetchKey.of(topic.topic(), topic.topicId(), partition));
        if (gone != null) {
          gone.drop();
        }
      }
    }
    for (FetchTopic topic : request.topics()) {
      for (FetchPartition asked : topic.partitions()) {
        FetchKey key = FetchKey.of(topic.topic(), topic.topicId(), asked.partition());
        Interest interest = interests.computeIfAbsent(key, k -> new Interest(k, this));
        interest.ask(asked);
        interest.soil();
        named.add(interest);
      }
    }
  }

  /** Looks at all partitions again when it may have changed who may read them. */
  void recheck(long version) {
    if (version != guardVersion) {
      guardVersion = version;
      interests.values().forEach(Interest::soil);
    }
  }

  Collection<Interest> interests() {
    return interests.values();
  }

  /** Those of which the last request said something; nothing when asked again. */
  List<Interest> takeNamed() {
    List<Interest> taken = List.copyOf(named);
    named.clear();
    return taken;
  }

  int size() {
    return interests.size();
  }

  boolean isEmpty() {
    return interests.isEmpty();
  }

  void enqueue(Interest interest) {
    dirty.add(interest);
  }

  /** The next that may have something new, clean from now on; null when there is none. */
  @Nullable Interest next() {
    for (Interest next = dirty.poll(); next != null; next = dirty.poll()) {
      if (!next.dropped()) {
        next.wipe();
        return next;
      }
    }
    return null;
  }

  /** Whom to call when something becomes dirty; null for nobody. */
  void onDirt(@Nullable Runnable wake) {
    waiting = wake;
  }

  void wake() {
    Runnable wake = waiting;
    if (wake != null) {
      wake.run();
    }
  }

  /** Stops watching; the set is of no use any more. */
  void close() {
    interests.values().forEach(Interest::drop);
  }
}

package io.strandline.broker.replica;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import org.apache.kafka.common.TopicIdPartition;

/**
 * All fetchers of this broker: one or some for each leader it follows, begun when the first replica
 * follows that leader and ended with the last. Threads: any; no method waits for a fetch.
 */
public final class Fetchers implements AutoCloseable {
  private record Key(int leader, int index) {}

  /** Makes connections. */
  @FunctionalInterface
  public interface Dial {
    /**
     * A connection to a broker, not opened yet.
     *
     * @param index among those to this broker
     */
    Leader to(int broker, int index);
  }

  private final Dial leaders;
  private final Consumer<Fetcher> threads;
  private final ReplicaSettings settings;
  private final InstantSource clock;
  private final Map<Key, Fetcher> running = new HashMap<>(); // guarded by this
  private final Map<TopicIdPartition, Key> places = new HashMap<>();
  private boolean closed;

  /**
   * @param threads each fetcher takes one for as long as it runs
   * @param clock for how long ago something was: one that does not jump
   */
  public Fetchers(
      Dial leaders, Consumer<Fetcher> threads, ReplicaSettings settings, InstantSource clock) {
    this.leaders = leaders;
    this.threads = threads;
    this.settings = settings;
    this.clock = clock;
  }

  /** By which they wait, and those that are fetched from here. */
  InstantSource clock() {
    return clock;
  }

  /**
   * The replica follows this leader from now on, in this epoch, and nobody else. What is thrown
   * when there can be no connection or no thread is the caller's, to try again: until then it
   * follows nobody.
   */
  public synchronized void follow(FollowedReplica replica, int leader, int leaderEpoch) {
    if (closed) {
      return;
    }
    TopicIdPartition id = replica.id();
    int index = Math.floorMod(id.hashCode(), Math.max(1, settings.fetchers().getAsInt()));
    Key key = new Key(leader, index);
    Key before = places.remove(id);
    if (before != null && !before.equals(key)) {
      leave(id, before);
    }
    Fetcher fetcher = running.get(key);
    if (fetcher == null || !fetcher.list().add(replica, leaderEpoch)) { // an error ended its thread
      begin(key, replica, leaderEpoch);
    }
    places.put(id, key);
  }

  private void begin(Key key, FollowedReplica first, int leaderEpoch) {
    Leader connection = leaders.to(key.leader(), key.index());
    Fetcher fetcher = new Fetcher(key.leader(), connection, settings, clock);
    var unused = fetcher.list().add(first, leaderEpoch); // open as yet
    boolean begun = false;
    try {
      threads.accept(fetcher);
      begun = true;
    } finally {
      if (!begun) {
        fetcher.close();
        connection.close();
      }
    }
    running.put(key, fetcher);
  }

  /** Whether a fetcher has the replica, be it as one that can not follow. */
  public synchronized boolean serves(TopicIdPartition id) {
    Key key = places.get(id);
    Fetcher fetcher = key == null ? null : running.get(key);
    return fetcher != null && fetcher.list().has(id);
  }

  /** The replica follows nobody. What was asked for it before may still arrive. */
  public synchronized void stop(TopicIdPartition id) {
    Key key = places.remove(id);
    if (key != null) {
      leave(id, key);
    }
  }

  private void leave(TopicIdPartition id, Key key) {
    Fetcher fetcher = running.get(key);
    if (fetcher != null) {
      fetcher.list().remove(id);
    }
  }

  /** Ends fetchers that have nobody left; now and then, for those who leave often come back. */
  public synchronized void sweep() {
    for (Iterator<Map.Entry<Key, Fetcher>> all = running.entrySet().iterator(); all.hasNext(); ) {
      Map.Entry<Key, Fetcher> one = all.next();
      boolean used = places.containsValue(one.getKey());
      if (!used) {
        one.getValue().close();
        all.remove();
      }
    }
  }

  // ---- how they get on

  /** The most offsets that a replica misses up to its leader's high watermark. */
  public synchronized long lagMax() {
    return running.values().stream().mapToLong(f -> f.list().lagMax()).max().orElse(0);
  }

  /** How often in a second the slowest asks its leader; 0 without any. */
  public synchronized double paceMin() {
    return running.values().stream().mapToDouble(f -> f.pace().perSecond()).min().orElse(0);
  }

  /** Replicas that can not follow, because their disk failed them. */
  public synchronized int failed() {
    return running.values().stream().mapToInt(f -> f.list().failed()).sum();
  }

  @Override
  public void close() {
    List<Fetcher> all;
    synchronized (this) {
      closed = true;
      all = new ArrayList<>(running.values());
      running.clear();
      places.clear();
    }
    all.forEach(Fetcher::close);
  }
}

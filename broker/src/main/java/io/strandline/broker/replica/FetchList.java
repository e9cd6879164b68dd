package io.strandline.broker.replica;

import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.TopicIdPartition;

/** The replicas that one fetcher serves, and when each is to be asked for again. Threads: any. */
final class FetchList {
  static final long UNKNOWN = -1;

  /**
   * @param notBeforeMs after an error
   * @param lag offsets to the leader's high watermark when it answered last, or {@link #UNKNOWN}
   * @param refusals of the leader since then
   */
  record Entry(
      FollowedReplica replica, int leaderEpoch, long notBeforeMs, long lag, int refusals) {}

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Map<TopicIdPartition, Entry> entries = new LinkedHashMap<>();
  private final Set<TopicIdPartition> failed = new HashSet<>();
  private int added;
  private boolean closed;

  /**
   * Follows from now on in this epoch; an error of an earlier one is forgotten.
   *
   * @return false when it is closed, and so serves nobody
   */
  boolean add(FollowedReplica replica, int leaderEpoch) {
    lock.lock();
    try {
      if (closed) {
        return false;
      }
      Entry before = entries.get(replica.id());
      if (before == null || before.leaderEpoch() < leaderEpoch) {
        entries.put(replica.id(), new Entry(replica, leaderEpoch, Long.MIN_VALUE, UNKNOWN, 0));
        failed.remove(replica.id());
        added++;
        changed.signalAll();
      }
      return true;
    } finally {
      lock.unlock();
    }
  }

  void remove(TopicIdPartition id) {
    lock.lock();
    try {
      entries.remove(id);
      failed.remove(id);
    } finally {
      lock.unlock();
    }
  }

  /** Ends it as one that can not follow, if it is in this epoch still. */
  void fail(TopicIdPartition id, int leaderEpoch) {
    lock.lock();
    try {
      Entry now = entries.get(id);
      if (now != null && now.leaderEpoch() == leaderEpoch) {
        entries.remove(id);
        failed.add(id);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Ends it if it is in this epoch still. */
  void end(TopicIdPartition id, int leaderEpoch) {
    lock.lock();
    try {
      Entry now = entries.get(id);
      if (now != null && now.leaderEpoch() == leaderEpoch) {
        entries.remove(id);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Asks again later, unless it is in another epoch by then. */
  void delay(TopicIdPartition id, int leaderEpoch, long untilMs) {
    change(
        id,
        leaderEpoch,
        now -> new Entry(now.replica(), leaderEpoch, untilMs, now.lag(), now.refusals() + 1));
  }

  /** So many offsets are left to the leader's high watermark. */
  void lags(TopicIdPartition id, int leaderEpoch, long lag) {
    change(
        id, leaderEpoch, now -> new Entry(now.replica(), leaderEpoch, now.notBeforeMs(), lag, 0));
  }

  private void change(TopicIdPartition id, int leaderEpoch, UnaryOperator<Entry> step) {
    lock.lock();
    try {
      entries.computeIfPresent(
          id, (same, now) -> now.leaderEpoch() == leaderEpoch ? step.apply(now) : now);
    } finally {
      lock.unlock();
    }
  }

  /** The largest lag known, 0 when none is. */
  long lagMax() {
    lock.lock();
    try {
      return entries.values().stream().mapToLong(Entry::lag).filter(lag -> lag > 0).max().orElse(0);
    } finally {
      lock.unlock();
    }
  }

  /** How many can not follow. */
  int failed() {
    lock.lock();
    try {
      return failed.size();
    } finally {
      lock.unlock();
    }
  }

  Optional<Entry> get(TopicIdPartition id) {
    lock.lock();
    try {
      return Optional.ofNullable(entries.get(id));
    } finally {
      lock.unlock();
    }
  }

  /** Whether it follows, or can not. */
  boolean has(TopicIdPartition id) {
    lock.lock();
    try {
      return entries.containsKey(id) || failed.contains(id);
    } finally {
      lock.unlock();
    }
  }

  /** Those that are due. */
  Map<TopicIdPartition, Entry> due(long nowMs) {
    lock.lock();
    try {
      Map<TopicIdPartition, Entry> due = new LinkedHashMap<>();
      entries.forEach(
          (id, entry) -> {
            if (entry.notBeforeMs() <= nowMs) {
              due.put(id, entry);
            }
          });
      return due;
    } finally {
      lock.unlock();
    }
  }

  /** How long until the next of those that are not due, at most so long. */
  long untilDueMs(long nowMs, long maxMs) {
    lock.lock();
    try {
      return entries.values().stream()
          .mapToLong(Entry::notBeforeMs)
          .filter(dueMs -> dueMs > nowMs)
          .map(dueMs -> dueMs - nowMs)
          .reduce(maxMs, Math::min);
    } finally {
      lock.unlock();
    }
  }

  /** Waits until something is added, or so long, or until it is closed. */
  void await(long ms) throws InterruptedException {
    lock.lock();
    try {
      long left = TimeUnit.MILLISECONDS.toNanos(ms);
      int seen = added;
      while (!closed && added == seen && left > 0) {
        left = changed.awaitNanos(left);
      }
    } finally {
      lock.unlock();
    }
  }

  boolean closed() {
    lock.lock();
    try {
      return closed;
    } finally {
      lock.unlock();
    }
  }

  void close() {
    lock.lock();
    try {
      closed = true;
      entries.clear();
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }
}

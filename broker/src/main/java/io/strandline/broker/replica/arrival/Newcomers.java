package io.strandline.broker.replica.arrival;

import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Followers that are about to ask for a partition which this broker has just begun to lead. While a
 * fetch of theirs for other partitions waits here for records ({@code replica.fetch.wait.max.ms}),
 * they can not ask, and whoever writes with acks=all waits with them. So it is answered, and for a
 * while their next ones do not wait long: they may hear of the new leader later than it does.
 *
 * <p>Threads: any.
 */
public final class Newcomers {
  /** How long a follower has to hear of its leader. */
  private static final long WINDOW_MS = 1_000;

  private static final long WAIT_MS = 10;

  private static final class Follower {
    private volatile long untilMs = Long.MIN_VALUE;
    private final Set<Runnable> waiting = ConcurrentHashMap.newKeySet();
  }

  private final Map<Integer, Follower> followers = new ConcurrentHashMap<>();

  private Follower of(int replica) {
    return followers.computeIfAbsent(replica, id -> new Follower());
  }

  /** It follows a partition from here from now on, and may not know it yet. */
  public void expect(int replica, long nowMs) {
    Follower follower = of(replica);
    follower.untilMs = nowMs + WINDOW_MS;
    follower.waiting.forEach(Runnable::run);
  }

  /** How long a fetch of its may wait that would wait so long. */
  public long waitMs(int replica, long wantedMs, long nowMs) {
    Follower follower = followers.get(replica);
    return follower == null || nowMs >= follower.untilMs ? wantedMs : Math.min(wantedMs, WAIT_MS);
  }

  /**
   * A fetch of its begins to wait, until {@link #ended}.
   *
   * @param answer has it answered as it stands; may be called more than once, and must not block
   */
  public void waits(int replica, Runnable answer) {
    of(replica).waiting.add(answer);
  }

  /** The fetch was answered. */
  public void ended(int replica, Runnable answer) {
    of(replica).waiting.remove(answer);
  }
}

package io.strandline.broker.replica;

import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/**
 * When each follower fetched from this broker last, whatever it fetched. A fetch session does not
 * look at partitions in which nothing changed (KIP-227); that their follower is alive shows here.
 */
public final class FetchTimes {
  private static final long NEVER = Long.MIN_VALUE;

  private final Map<Integer, AtomicLong> lastMs = new ConcurrentHashMap<>();

  private final InstantSource clock;

  /**
   * @param clock one that does not jump
   */
  FetchTimes(InstantSource clock) {
    this.clock = clock;
  }

  /** The time by which replicas are or are not caught up. */
  public long nowMs() {
    return clock.millis();
  }

  /**
   * It fetches.
   *
   * @return when
   */
  public long fetched(int replica) {
    long nowMs = clock.millis();
    lastMs.computeIfAbsent(replica, id -> new AtomicLong(NEVER)).accumulateAndGet(nowMs, Math::max);
    return nowMs;
  }

  /** When it fetched; {@link Long#MIN_VALUE} when it never did. */
  public long lastMs(int replica) {
    AtomicLong last = lastMs.get(replica);
    return last == null ? NEVER : last.get();
  }
}

package io.strandline.broker.guard.quota;

import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.metrics.Sensor;
import org.jspecify.annotations.Nullable;

/**
 * Who is next among the consumers that share a quota: those whose records were withheld, in that
 * order. Else one whose records come slowly, as from the tier, would find the quota used up by
 * faster ones each time, and what was read for it would be thrown away for ever.
 *
 * <p>The first in line is given its answer though the quota is used up, once until it is kept
 * again: so whoever shares it owes the time of two answers at most.
 */
final class Precedence {
  /** Who has not asked again for so long keeps nobody waiting. */
  private static final long STAYS_MS = 300_000;

  /** Guarded by the monitor of its quota. */
  private static final class Line {
    /** By connection: when it was withheld last. */
    private final Map<String, Long> waiting = new LinkedHashMap<>();

    private boolean exceeded;
    private volatile long usedMs;

    @Nullable String first(long nowMs) {
      Iterator<Map.Entry<String, Long>> all = waiting.entrySet().iterator();
      while (all.hasNext()) {
        Map.Entry<String, Long> next = all.next();
        if (nowMs - next.getValue() <= STAYS_MS) {
          return next.getKey();
        }
        all.remove();
      }
      return null;
    }
  }

  private final Map<Sensor, Line> lines = new ConcurrentHashMap<>();

  /**
   * Whether a consumer may be given its records; if not it gets in line. The caller holds the
   * quota's monitor.
   *
   * @param connection of the consumer
   * @param within whether the quota is kept
   */
  boolean admits(Sensor quota, String connection, boolean within, long nowMs) {
    Line line = lines.get(quota);
    if (line == null) {
      if (within) {
        return true;
      }
      lines.values().removeIf(other -> nowMs - other.usedMs > STAYS_MS);
      line = new Line();
      lines.put(quota, line);
    }
    line.usedMs = nowMs;
    if (within) {
      line.exceeded = false;
    } else if (line.exceeded || !connection.equals(line.first(nowMs))) {
      line.waiting.put(connection, nowMs); // keeps its place if it has one
      return false;
    } else {
      line.exceeded = true;
    }
    line.waiting.remove(connection);
    if (line.waiting.isEmpty()) {
      lines.remove(quota);
    }
    return true;
  }

  /** A connection that has ended keeps nobody waiting. */
  void gone(String connection) {
    for (Sensor quota : List.copyOf(lines.keySet())) {
      synchronized (quota) {
        Line line = lines.get(quota);
        if (line != null && line.waiting.remove(connection) != null && line.waiting.isEmpty()) {
          lines.remove(quota);
        }
      }
    }
  }
}

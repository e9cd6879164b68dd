package io.strandline.broker.share.window;

import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Each offset of a range and how it fares, kept as runs of offsets that fare alike: as fine as a
 * single offset where that is needed, and one entry where it is not.
 */
final class Runs {
  /**
   * @param last included
   */
  record Run(long first, long last, Delivery delivery) {
    long size() {
      return last - first + 1;
    }
  }

  private final TreeMap<Long, Run> byFirst = new TreeMap<>();

  Collection<Run> all() {
    return byFirst.values();
  }

  /** Those of {@code first} to {@code last}, cut to that range; a copy. */
  List<Run> between(long first, long last) {
    List<Run> found = new ArrayList<>();
    Map.Entry<Long, Run> floor = byFirst.floorEntry(first);
    long from = floor == null ? first : floor.getKey();
    if (last < first) {
      return found;
    }
    for (Run run : byFirst.subMap(from, true, last, true).values()) {
      if (run.last >= first) {
        found.add(new Run(Math.max(first, run.first), Math.min(last, run.last), run.delivery));
      }
    }
    return found;
  }

  /** These offsets fare so from now on; whatever was there is replaced. */
  void set(long first, long last, Delivery delivery) {
    cut(first);
    cut(last + 1);
    byFirst.subMap(first, true, last, true).clear();
    long from = first;
    long to = last;
    Map.Entry<Long, Run> before = byFirst.lowerEntry(first);
    if (before != null && joins(before.getValue(), first - 1, delivery)) {
      from = before.getKey();
    }
    Run after = byFirst.get(last + 1);
    if (after != null && after.delivery.equals(delivery)) {
      to = after.last;
      byFirst.remove(after.first);
    }
    byFirst.put(from, new Run(from, to, delivery));
  }

  private static boolean joins(Run before, long last, Delivery delivery) {
    return before.last == last && before.delivery.equals(delivery);
  }

  /** No run lies across this offset. */
  private void cut(long at) {
    Map.Entry<Long, Run> floor = byFirst.lowerEntry(at);
    if (floor != null && floor.getValue().last >= at) {
      Run run = floor.getValue();
      byFirst.put(run.first, new Run(run.first, at - 1, run.delivery));
      byFirst.put(at, new Run(at, run.last, run.delivery));
    }
  }

  void removeBefore(long offset) {
    cut(offset);
    byFirst.headMap(offset, false).clear();
  }
}

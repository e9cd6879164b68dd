package io.strandline.tools.balance;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** How well replicas are spread over racks; a broker without a rack is as good as alone in one. */
final class Racks {
  private final int[] rackOf;

  Racks(List<Broker> brokers) {
    rackOf = new int[brokers.size()];
    Map<String, Integer> numbers = new HashMap<>();
    for (int b = 0; b < rackOf.length; b++) {
      String rack = brokers.get(b).rack();
      rackOf[b] = rack.isEmpty() ? -1 - b : numbers.computeIfAbsent(rack, r -> numbers.size());
    }
  }

  /** Pairs of replicas that share a rack: least when they are spread as evenly as can be. */
  int sharing(int[] replicas) {
    int pairs = 0;
    for (int i = 0; i < replicas.length; i++) {
      for (int j = 0; j < i; j++) {
        pairs += rackOf[replicas[i]] == rackOf[replicas[j]] ? 1 : 0;
      }
    }
    return pairs;
  }

  /** The same with another broker in the place of one. */
  int sharing(int[] replicas, int position, int broker) {
    int before = replicas[position];
    replicas[position] = broker;
    try {
      return sharing(replicas);
    } finally {
      replicas[position] = before;
    }
  }
}

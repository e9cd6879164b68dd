package io.strandline.broker.transaction;

import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ConcurrentHashMap;

/** Which partitions of {@code __transaction_state} this broker leads, and in which epochs. */
final class Tenures {
  private final Map<Integer, Integer> epochs = new ConcurrentHashMap<>();

  void begin(int partition, int epoch) {
    epochs.put(partition, epoch);
  }

  void end(int partition) {
    epochs.remove(partition);
  }

  OptionalInt epoch(int partition) {
    Integer epoch = epochs.get(partition);
    return epoch == null ? OptionalInt.empty() : OptionalInt.of(epoch);
  }
}

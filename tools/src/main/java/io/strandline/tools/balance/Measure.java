package io.strandline.tools.balance;

import io.strandline.tools.balance.PartitionState.Weight;

/**
 * What is spread over brokers. Load comes first, because it is what clients wait for; numbers have
 * their say where nothing is known of the load, because what is idle now may not stay so.
 */
public enum Measure {
  /** Bytes a second written to what a broker leads: it sends them on, to followers and readers. */
  LED_BYTES_PER_SECOND("led bytes/s", 1, 1 << 16),
  /** Bytes a second written to all replicas on a broker. */
  BYTES_PER_SECOND("bytes/s", 1, 1 << 16),
  /** Bytes on a broker's disks. */
  LOCAL_BYTES("bytes on disk", 0.5, 64 << 20),
  /** Partitions a broker leads. */
  LEADERS("leaders", 0.25, 1),
  /** Replicas on a broker. */
  REPLICAS("replicas", 0.25, 1);

  private final String words;
  private final double importance;
  private final double least;

  Measure(String words, double importance, double least) {
    this.words = words;
    this.importance = importance;
    this.least = least;
  }

  String words() {
    return words;
  }

  double importance() {
    return importance;
  }

  /** Below this mean of all brokers differences are nobody's concern. */
  double least() {
    return least;
  }

  /** What a partition adds to a broker that holds a replica of it, leads it, or both. */
  double of(Weight weight, boolean leads, boolean holds) {
    return switch (this) {
      case LED_BYTES_PER_SECOND -> leads ? weight.bytesPerSecond() : 0;
      case BYTES_PER_SECOND -> holds ? weight.bytesPerSecond() : 0;
      case LOCAL_BYTES -> holds ? weight.localBytes() : 0;
      case LEADERS -> leads ? 1 : 0;
      case REPLICAS -> holds ? 1 : 0;
    };
  }
}

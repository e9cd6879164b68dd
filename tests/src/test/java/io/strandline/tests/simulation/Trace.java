package io.strandline.tests.simulation;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.LongSupplier;

/**
 * What happened, in order: every change of a disk, every request to the store, every
 * acknowledgement. Its hash tells whether two runs were the same, its tail what led to a failure.
 */
final class Trace {
  private static final int TAIL = 80;

  private final LongSupplier nanos;
  private final Deque<String> tail = new ArrayDeque<>();
  private long hash = 0xcbf29ce484222325L;

  Trace(LongSupplier nanos) {
    this.nanos = nanos;
  }

  void add(String event) {
    String line = line(event);
    count(line);
    tail.add(line);
    if (tail.size() > TAIL) {
      tail.remove();
    }
  }

  /** What is part of the hash and would only fill the tail. */
  void addUntold(String event) {
    count(line(event));
  }

  private String line(String event) {
    return nanos.getAsLong() / 1000 + " us " + event;
  }

  private void count(String line) {
    for (int i = 0; i < line.length(); i++) {
      hash = (hash ^ line.charAt(i)) * 0x100000001b3L;
    }
  }

  long hash() {
    return hash;
  }

  /** The last events, one a line. */
  String tail() {
    return String.join("\n", tail);
  }
}

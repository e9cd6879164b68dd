package io.strandline.broker.socket;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The heap that answers take which their clients have not read yet, of all connections together.
 * Bytes of logs and of history are not in it: they are in files, or in memory of replay's. Safe for
 * several threads.
 */
final class AnswerMemory {
  private final long maxBytes;
  private final AtomicLong usedBytes = new AtomicLong();
  private volatile Runnable whenFull = () -> {};

  AnswerMemory(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * @param relief called by each answer that finds no room: must only hand on
   */
  void whenFull(Runnable relief) {
    whenFull = relief;
  }

  /** Takes so much, or gives it back if it is negative. */
  void take(long bytes) {
    if (usedBytes.addAndGet(bytes) > maxBytes && bytes > 0) {
      whenFull.run();
    }
  }

  boolean full() {
    return usedBytes.get() > maxBytes;
  }

  /** So much has to go when it is full, so that it is not full again at once; else none. */
  long excessBytes() {
    return full() ? usedBytes.get() - maxBytes / 2 : 0;
  }
}

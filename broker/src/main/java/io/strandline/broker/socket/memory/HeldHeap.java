package io.strandline.broker.socket.memory;

import java.util.concurrent.atomic.AtomicLong;

/**
 * The heap that clients make the node keep, of all connections together: answers that they have not
 * read yet, and requests that wait for their answers, a fetch for new records or a member for the
 * rest of its group. Bytes of logs and of history are not in it: they are in files, or in memory of
 * replay's. Safe for several threads.
 */
public final class HeldHeap {
  private final long maxBytes;
  private final AtomicLong usedBytes = new AtomicLong();
  private volatile Runnable whenFull = () -> {};

  public HeldHeap(long maxBytes) {
    this.maxBytes = maxBytes;
  }

  /**
   * @param relief called by each that finds no room: must only hand on
   */
  public void whenFull(Runnable relief) {
    whenFull = relief;
  }

  /** Takes so much, or gives it back if it is negative. */
  public void take(long bytes) {
    if (usedBytes.addAndGet(bytes) > maxBytes && bytes > 0) {
      whenFull.run();
    }
  }

  public boolean full() {
    return usedBytes.get() > maxBytes;
  }

  /** So much has to go when it is full, so that it is not full again at once; else none. */
  public long excessBytes() {
    return full() ? usedBytes.get() - maxBytes / 2 : 0;
  }
}

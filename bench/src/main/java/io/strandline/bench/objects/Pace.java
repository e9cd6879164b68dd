package io.strandline.bench.objects;

import java.util.concurrent.locks.LockSupport;

/**
 * One rate for everything that leaves the store. Who sends takes a place in the line of bytes and
 * waits for its turn; an idle line saves up nothing.
 */
final class Pace {
  private double bytesPerSecond = Double.POSITIVE_INFINITY;
  private long freeAt = System.nanoTime();
  private long sent;

  synchronized void set(double rate) {
    bytesPerSecond = rate;
  }

  /** Bytes that were let through. */
  synchronized long sent() {
    return sent;
  }

  /** Waits until so many bytes may go. */
  void await(long bytes) {
    long turn = take(bytes);
    for (long left = turn - System.nanoTime(); left > 0; left = turn - System.nanoTime()) {
      LockSupport.parkNanos(left);
    }
  }

  private synchronized long take(long bytes) {
    sent += bytes;
    long turn = Math.max(freeAt, System.nanoTime());
    freeAt = turn + (long) (bytes / bytesPerSecond * 1e9);
    return turn;
  }
}

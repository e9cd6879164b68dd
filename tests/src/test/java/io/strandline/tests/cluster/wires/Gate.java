package io.strandline.tests.cluster.wires;

import java.util.concurrent.locks.LockSupport;

/** One direction between two nodes in one plane. Thread-safe. */
final class Gate {
  private boolean held;
  private long delayNanos;

  synchronized void hold() {
    held = true;
  }

  synchronized void delay(long nanos) {
    delayNanos = nanos;
  }

  synchronized void open() {
    held = false;
    delayNanos = 0;
    notifyAll();
  }

  synchronized boolean held() {
    return held;
  }

  /** Bytes go by when they may, late if need be. */
  void pass() throws InterruptedException {
    long late;
    synchronized (this) {
      while (held) {
        wait();
      }
      late = delayNanos;
    }
    if (late > 0) {
      LockSupport.parkNanos(late);
      synchronized (this) {
        while (held) {
          wait();
        }
      }
    }
  }
}

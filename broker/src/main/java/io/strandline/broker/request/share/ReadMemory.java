package io.strandline.broker.request.share;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The heap that batches take which were read for share groups and are neither answered nor let go
 * of yet, of all share fetches together. Who finds too little of it is told when some is free
 * again; one read may always be under way. Safe for several threads.
 */
final class ReadMemory {
  private final long maxBytes;
  private final Counter read;
  private final Set<Runnable> waiting = new HashSet<>(); // guarded by this
  private long usedBytes; // guarded by this

  ReadMemory(long maxBytes, MeterRegistry meters) {
    this.maxBytes = maxBytes;
    this.read = meters.counter("strandline.share.read.bytes");
    Gauge.builder("strandline.share.read.used", this, ReadMemory::usedBytes)
        .baseUnit("bytes")
        .register(meters);
  }

  private synchronized long usedBytes() {
    return usedBytes;
  }

  /**
   * Takes so much before it is read.
   *
   * @param whenFreed called once when some is free, if there is too little now: must only hand on
   */
  synchronized boolean take(long bytes, Runnable whenFreed) {
    if (usedBytes > 0 && usedBytes + bytes > maxBytes) {
      waiting.add(whenFreed);
      return false;
    }
    usedBytes += bytes;
    return true;
  }

  /** What was taken turned out to be so much: less as a rule, more if a batch is large. */
  void took(long bytes, long readBytes) {
    read.increment((double) readBytes);
    release(bytes - readBytes);
  }

  /** Gives back. */
  void release(long bytes) {
    List<Runnable> told;
    synchronized (this) {
      usedBytes -= bytes;
      if (bytes <= 0 || waiting.isEmpty()) {
        return;
      }
      told = List.copyOf(waiting);
      waiting.clear();
    }
    told.forEach(Runnable::run);
  }

  /** Waits no more. */
  synchronized void leave(Runnable whenFreed) {
    waiting.remove(whenFreed);
  }
}

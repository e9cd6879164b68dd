package io.strandline.tiering.upload;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

/**
 * Lets so many in at a time, with so many bytes together; who waits longest for the tier first, so
 * that after an outage what is oldest leaves the disk first.
 */
final class Admission {
  private record Waiting(long sinceMs, long number, long bytes, CompletableFuture<Void> admitted) {}

  private final Queue<Waiting> queue =
      new PriorityQueue<>(
          Comparator.comparingLong(Waiting::sinceMs).thenComparingLong(Waiting::number));
  private long numbers;
  private final long bytesMax;
  private int freeSlots;
  private long freeBytes;

  /**
   * @param slots at a time
   * @param bytesMax together; what is longer goes alone
   */
  Admission(int slots, long bytesMax) {
    this.freeSlots = slots;
    this.bytesMax = bytesMax;
    this.freeBytes = bytesMax;
  }

  /**
   * Completes when admitted; {@link #leave} with the same bytes must follow.
   *
   * @param sinceMs of its youngest record; the lowest goes first
   */
  CompletableFuture<Void> enter(long bytes, long sinceMs) {
    Waiting waiting;
    synchronized (this) {
      waiting =
          new Waiting(sinceMs, numbers++, Math.min(bytes, bytesMax), new CompletableFuture<>());
      queue.add(waiting);
    }
    admit();
    return waiting.admitted;
  }

  /** First come, first served. */
  CompletableFuture<Void> enter(long bytes) {
    return enter(bytes, 0);
  }

  void leave(long bytes) {
    synchronized (this) {
      freeSlots++;
      freeBytes += Math.min(bytes, bytesMax);
    }
    admit();
  }

  private void admit() {
    List<Waiting> admitted = new ArrayList<>();
    synchronized (this) {
      Waiting next = queue.peek();
      while (next != null && freeSlots > 0 && freeBytes >= next.bytes) {
        queue.remove();
        freeSlots--;
        freeBytes -= next.bytes;
        admitted.add(next);
        next = queue.peek();
      }
    }
    admitted.forEach(w -> w.admitted.complete(null));
  }
}

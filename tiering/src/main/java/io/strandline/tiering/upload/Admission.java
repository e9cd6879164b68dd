package io.strandline.tiering.upload;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;

/** Lets so many in at a time, with so many bytes together, first come first served. */
final class Admission {
  private record Waiting(long bytes, CompletableFuture<Void> admitted) {}

  private final Queue<Waiting> queue = new ArrayDeque<>();
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

  /** Completes when admitted; {@link #leave} with the same bytes must follow. */
  CompletableFuture<Void> enter(long bytes) {
    Waiting waiting = new Waiting(Math.min(bytes, bytesMax), new CompletableFuture<>());
    synchronized (this) {
      queue.add(waiting);
    }
    admit();
    return waiting.admitted;
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

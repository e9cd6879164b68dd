package io.strandline.replay.fetch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/**
 * A number of bytes that many readers share. Who finds too few waits; readers take turns, whatever
 * number of requests each has waiting. Threads: any; guarded by its own monitor, a leaf; grants are
 * completed outside it by whoever releases.
 *
 * <p>Whoever waits holds nothing, and nobody may ask for more than all: so waiting always ends when
 * those who hold are done.
 */
final class ByteBudget {
  private record Waiter(long bytes, CompletableFuture<Void> granted) {}

  private final long capacityBytes;
  private final LinkedHashMap<String, ArrayDeque<Waiter>> waiters = new LinkedHashMap<>();
  private long usedBytes;
  private int waiting;

  ByteBudget(long capacityBytes) {
    this.capacityBytes = capacityBytes;
  }

  long capacityBytes() {
    return capacityBytes;
  }

  synchronized long usedBytes() {
    return usedBytes;
  }

  synchronized int waiting() {
    return waiting;
  }

  /** Takes the bytes if they are free and nobody waits. */
  synchronized boolean tryReserve(long bytes) {
    if (waiting > 0 || usedBytes + bytes > capacityBytes) {
      return false;
    }
    usedBytes += bytes;
    return true;
  }

  /**
   * Takes the bytes when it is the reader's turn and they are free.
   *
   * @param bytes at most the capacity
   */
  CompletableFuture<Void> reserve(String reader, long bytes) {
    if (bytes > capacityBytes) {
      throw new IllegalArgumentException(bytes + " bytes of a budget of " + capacityBytes);
    }
    CompletableFuture<Void> granted = new CompletableFuture<>();
    synchronized (this) {
      if (waiting == 0 && usedBytes + bytes <= capacityBytes) {
        usedBytes += bytes;
        return CompletableFuture.completedFuture(null);
      }
      waiters.computeIfAbsent(reader, r -> new ArrayDeque<>()).add(new Waiter(bytes, granted));
      waiting++;
    }
    return granted;
  }

  void release(long bytes) {
    List<Waiter> next = new ArrayList<>();
    synchronized (this) {
      usedBytes -= bytes;
      while (takeTurn(next)) {}
    }
    next.forEach(waiter -> waiter.granted.complete(null));
  }

  /** Grants the first reader's first request and sends that reader to the end of the line. */
  private boolean takeTurn(List<Waiter> next) {
    Iterator<Map.Entry<String, ArrayDeque<Waiter>>> line = waiters.entrySet().iterator();
    if (!line.hasNext()) {
      return false;
    }
    Map.Entry<String, ArrayDeque<Waiter>> first = line.next();
    Waiter waiter = first.getValue().element();
    if (usedBytes + waiter.bytes > capacityBytes) {
      return false;
    }
    String reader = first.getKey();
    ArrayDeque<Waiter> rest = first.getValue();
    rest.remove();
    line.remove();
    if (!rest.isEmpty()) {
      waiters.put(reader, rest);
    }
    usedBytes += waiter.bytes;
    waiting--;
    next.add(waiter);
    return true;
  }
}

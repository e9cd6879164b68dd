package io.strandline.replay.fetch;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.LongSupplier;

/**
 * A number of bytes that many readers share. Who finds too few waits; readers take turns, whatever
 * number of requests each has waiting. Threads: any; guarded by its own monitor, a leaf; grants are
 * completed outside it by whoever releases.
 *
 * <p>Whoever waits holds nothing, and nobody may ask for more than all: so waiting always ends when
 * those who hold are done. What nobody waits for any more is granted nothing, but keeps its
 * reader's place in the line until that is reached: a reader that asks again after each max wait,
 * as clients do, neither loses its turn nor leaves anything behind.
 */
final class ByteBudget {
  private record Waiter(long bytes, BooleanSupplier gone, CompletableFuture<Void> granted) {
    void cancel() {
      granted.completeExceptionally(new CancellationException("nobody waits for it"));
    }
  }

  /** A reader's place in the line. */
  private static final class Place {
    private final ArrayDeque<Waiter> waiters = new ArrayDeque<>();
    private final long sinceNanos;

    Place(long sinceNanos) {
      this.sinceNanos = sinceNanos;
    }
  }

  private final long capacityBytes;
  private final LongSupplier nanoTicker;
  private final LinkedHashMap<String, Place> line = new LinkedHashMap<>();
  private long usedBytes;
  private int waiting;

  /**
   * @param nanoTicker monotonic
   */
  ByteBudget(long capacityBytes, LongSupplier nanoTicker) {
    this.capacityBytes = capacityBytes;
    this.nanoTicker = nanoTicker;
  }

  long capacityBytes() {
    return capacityBytes;
  }

  synchronized long usedBytes() {
    return usedBytes;
  }

  /** Requests in the line; behind the first, those that nobody waits for any more included. */
  int waiting() {
    List<Runnable> done = new ArrayList<>();
    int left;
    synchronized (this) {
      takeTurns(done);
      left = waiting;
    }
    done.forEach(Runnable::run);
    return left;
  }

  /** Whether the first in the line has been without a grant for so long. */
  boolean waitsSince(long nanos) {
    List<Runnable> done = new ArrayList<>();
    boolean waits;
    synchronized (this) {
      takeTurns(done);
      Iterator<Place> places = line.values().iterator();
      waits = places.hasNext() && nanoTicker.getAsLong() - places.next().sinceNanos >= nanos;
    }
    done.forEach(Runnable::run);
    return waits;
  }

  /** Takes the bytes if they are free and nobody waits. */
  boolean tryReserve(long bytes) {
    List<Runnable> done = new ArrayList<>();
    boolean taken;
    synchronized (this) {
      takeTurns(done);
      taken = waiting == 0 && usedBytes + bytes <= capacityBytes;
      usedBytes += taken ? bytes : 0;
    }
    done.forEach(Runnable::run);
    return taken;
  }

  /**
   * Takes the bytes when it is the reader's turn and they are free.
   *
   * @param bytes at most the capacity
   * @param gone whether nobody waits for them any more, for good; asked with the monitor held
   * @return is cancelled if its turn comes after that
   */
  CompletableFuture<Void> reserve(String reader, long bytes, BooleanSupplier gone) {
    if (bytes > capacityBytes) {
      throw new IllegalArgumentException(bytes + " bytes of a budget of " + capacityBytes);
    }
    Waiter mine = new Waiter(bytes, gone, new CompletableFuture<>());
    List<Runnable> done = new ArrayList<>();
    synchronized (this) {
      Place place = line.computeIfAbsent(reader, first -> new Place(nanoTicker.getAsLong()));
      dropGone(place, done);
      place.waiters.add(mine);
      waiting++;
      takeTurns(done);
    }
    done.forEach(Runnable::run);
    return mine.granted;
  }

  void release(long bytes) {
    List<Runnable> done = new ArrayList<>();
    synchronized (this) {
      usedBytes -= bytes;
      takeTurns(done);
    }
    done.forEach(Runnable::run);
  }

  /** Cancels all that the reader waits for. */
  void left(String reader) {
    List<Runnable> done = new ArrayList<>();
    synchronized (this) {
      Place place = line.remove(reader);
      if (place != null) {
        waiting -= place.waiters.size();
        place.waiters.forEach(waiter -> done.add(waiter::cancel));
      }
      takeTurns(done);
    }
    done.forEach(Runnable::run);
  }

  private void takeTurns(List<Runnable> done) {
    while (takeTurn(done)) {}
  }

  /** Grants the first reader's first request and sends that reader to the end of the line. */
  private boolean takeTurn(List<Runnable> done) {
    Iterator<Map.Entry<String, Place>> places = line.entrySet().iterator();
    if (!places.hasNext()) {
      return false;
    }
    Map.Entry<String, Place> first = places.next();
    ArrayDeque<Waiter> waiters = first.getValue().waiters;
    dropGone(first.getValue(), done);
    Waiter waiter = waiters.peek();
    if (waiter == null) {
      places.remove();
      return true;
    }
    if (usedBytes + waiter.bytes > capacityBytes) {
      return false;
    }
    waiters.remove();
    waiting--;
    usedBytes += waiter.bytes;
    String reader = first.getKey();
    places.remove();
    if (!waiters.isEmpty()) {
      Place next = new Place(nanoTicker.getAsLong());
      next.waiters.addAll(waiters);
      line.put(reader, next);
    }
    done.add(() -> waiter.granted.complete(null));
    return true;
  }

  /** From the head on: those behind one who waits go when it is their turn. */
  private void dropGone(Place place, List<Runnable> done) {
    for (Waiter first = place.waiters.peek();
        first != null && first.gone.getAsBoolean();
        first = place.waiters.peek()) {
      place.waiters.remove();
      waiting--;
      done.add(first::cancel);
    }
  }
}

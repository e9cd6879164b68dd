package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.StoreException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Calls of one direction under one rate, in two classes.
 *
 * <ul>
 *   <li><b>Large</b> ones wait while there is a debt, and flows take turns by bytes: a call's turn
 *       is where its flow would be had all flows moved bytes at the same speed (start-time fair
 *       queueing; Goyal, Vin, Cheng 1996). So a flow with many calls does not hold up one with few.
 *   <li><b>Small</b> ones do not wait for large ones, only for each other: they draw on a bucket of
 *       their own, and all that they move is a debt of the large ones too. Both together keep to
 *       the rate.
 * </ul>
 *
 * <p>Any thread; guarded by its own monitor. Calls are begun outside it, by whoever drains.
 */
final class RateLane {
  private static final int QUEUED_MAX = 10_000;

  /** A rate that was raised is noticed so soon. */
  private static final long LOOK_AGAIN_NANOS = 1_000_000_000L;

  private static final int FLOWS_SPARE = 64;

  /** One call that waits: where its turn begins and ends on the flows' common scale of bytes. */
  private record Ticket(
      long begin, long end, long number, long bytes, CompletableFuture<?> outer, Runnable start)
      implements Comparable<Ticket> {
    @Override
    public int compareTo(Ticket other) {
      int byTurn = Long.compare(begin, other.begin);
      return byTurn == 0 ? Long.compare(number, other.number) : byTurn;
    }
  }

  /** Calls of one class; {@code turns} is how far the flow has come that was served last. */
  private static final class Line {
    private final PriorityQueue<Ticket> waiting = new PriorityQueue<>();
    private final Map<String, Long> flowEnds = new HashMap<>();
    private long turns;
    private long numbers;

    void add(String flow, long bytes, CompletableFuture<?> outer, Runnable start) {
      long begin = Math.max(turns, flowEnds.getOrDefault(flow, 0L));
      flowEnds.put(flow, begin + bytes);
      waiting.add(new Ticket(begin, begin + bytes, numbers++, bytes, outer, start));
      if (flowEnds.size() > FLOWS_SPARE + 2 * waiting.size()) {
        flowEnds.values().removeIf(end -> end <= turns);
      }
    }

    /** The next that is still wanted. */
    @Nullable Ticket peek() {
      Ticket next = waiting.peek();
      while (next != null && next.outer.isDone()) {
        waiting.remove();
        next = waiting.peek();
      }
      return next;
    }

    void take(Ticket next) {
      waiting.remove();
      turns = Math.max(turns, next.begin);
    }

    List<Ticket> clear() {
      List<Ticket> all = List.copyOf(waiting);
      waiting.clear();
      return all;
    }
  }

  private final ScheduledExecutorService scheduler;
  private final TokenBucket all;
  private final TokenBucket smallOnes;
  private final Line large = new Line();
  private final Line small = new Line();
  private boolean alarm;
  private boolean draining;

  RateLane(
      LongSupplier bytesPerSecond, ScheduledExecutorService scheduler, LongSupplier nanoTicker) {
    this.scheduler = scheduler;
    this.all = new TokenBucket(bytesPerSecond, nanoTicker);
    this.smallOnes = new TokenBucket(bytesPerSecond, nanoTicker);
  }

  synchronized boolean unlimited() {
    return all.unlimited();
  }

  /** Begins a large call when its flow's turn comes, unless {@code outer} is done by then. */
  void enterLarge(String flow, long bytes, CompletableFuture<?> outer, Runnable start) {
    enter(large, flow, bytes, outer, start);
  }

  /** Begins a call that moves little or nothing. */
  void enterSmall(long bytes, CompletableFuture<?> outer, Runnable start) {
    enter(small, "", bytes, outer, start);
  }

  /** Counts bytes that a small call moved beyond what it came in with. */
  synchronized void moved(long bytes) {
    smallOnes.spend(bytes);
    all.spend(bytes);
  }

  synchronized int waiting() {
    return large.waiting.size() + small.waiting.size();
  }

  private void enter(
      Line line, String flow, long bytes, CompletableFuture<?> outer, Runnable start) {
    boolean full;
    synchronized (this) {
      full = line.waiting.size() >= QUEUED_MAX;
      if (!full) {
        line.add(flow, bytes, outer, start);
      }
    }
    if (full) {
      outer.completeExceptionally(
          new StoreException.Unavailable(
              QUEUED_MAX + " calls wait for the limit on the rate already", null));
    } else {
      drain();
    }
  }

  private void drain() {
    synchronized (this) {
      if (draining) {
        return;
      }
      draining = true;
    }
    for (Ticket next = admit(); next != null; next = admit()) {
      next.start.run();
    }
    comeBack();
  }

  private synchronized @Nullable Ticket admit() {
    Ticket next = small.peek();
    if (next != null && smallOnes.debtNanos() == 0) {
      small.take(next);
      smallOnes.spend(next.bytes);
      all.spend(next.bytes);
      return next;
    }
    next = large.peek();
    if (next != null && all.debtNanos() == 0) {
      large.take(next);
      all.spend(next.bytes);
      return next;
    }
    draining = false;
    return null;
  }

  /** Comes back when the first debt is paid, if anybody waits for that. */
  private void comeBack() {
    List<Ticket> refused = new ArrayList<>();
    synchronized (this) {
      long largeNanos = large.peek() == null ? Long.MAX_VALUE : all.debtNanos();
      long smallNanos = small.peek() == null ? Long.MAX_VALUE : smallOnes.debtNanos();
      long nanos = Math.min(largeNanos, smallNanos);
      if (nanos == Long.MAX_VALUE || alarm) {
        return;
      }
      try {
        ScheduledFuture<?> unused =
            scheduler.schedule(this::ring, Math.min(nanos, LOOK_AGAIN_NANOS), TimeUnit.NANOSECONDS);
        alarm = true;
      } catch (RejectedExecutionException closing) {
        refused.addAll(large.clear());
        refused.addAll(small.clear());
      }
    }
    refused.forEach(
        ticket ->
            ticket.outer.completeExceptionally(
                new StoreException.Unavailable("the store is closing", null)));
  }

  private void ring() {
    synchronized (this) {
      alarm = false;
    }
    drain();
  }
}

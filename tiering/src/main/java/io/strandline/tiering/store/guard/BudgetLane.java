package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.concurrent.CompletableFuture;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * First come, first served. A call larger than the whole budget goes alone.
 *
 * <p>How many calls go at once follows the store: half as many after it was overloaded, once for
 * those that were under way together, and one more for each answer, up to the budget, so that
 * answers to all that is under way double it. A store that was away begins with one.
 *
 * <p>Any thread. Whoever changes the state drains the queue unless somebody is draining it, so that
 * calls that complete at once do not pile up on the stack.
 */
final class BudgetLane {
  /** A call in the lane: waiting, then under way. */
  static final class Ticket {
    private final long bytes;
    private final CompletableFuture<?> outer;
    private final Consumer<Ticket> start;
    private int cut;

    Ticket(long bytes, CompletableFuture<?> outer, Consumer<Ticket> start) {
      this.bytes = bytes;
      this.outer = outer;
      this.start = start;
    }
  }

  /** What a call's end tells of the store. */
  enum Load {
    FINE,
    OVERLOADED,
    AWAY,
    UNKNOWN
  }

  private final Budget.Lane budget;
  private final Deque<Ticket> waiting = new ArrayDeque<>();
  private int calls;
  private int callsMax;
  private int cuts;
  private long bytes;
  private boolean draining;

  BudgetLane(Budget.Lane budget) {
    this.budget = budget;
    this.callsMax = budget.callsMax();
  }

  /**
   * Starts the call now or later, unless its future is done by then; a full queue fails it.
   *
   * @param start begins it; {@link #release} must follow when it has ended
   */
  void enter(StoreCall call, CompletableFuture<?> outer, Consumer<Ticket> start) {
    Ticket ticket = new Ticket(Math.min(call.bytes(), budget.bytesPerCallMax()), outer, start);
    boolean full;
    synchronized (this) {
      full = waiting.size() >= budget.queuedMax() && !(waiting.isEmpty() && fits(ticket));
      if (!full) {
        waiting.add(ticket);
      }
    }
    if (full) {
      outer.completeExceptionally(
          new StoreException.Unavailable(
              call + ": " + budget.queuedMax() + " calls wait already", null));
    } else {
      drain();
    }
  }

  void release(Ticket ticket, Load load) {
    synchronized (this) {
      calls--;
      bytes -= ticket.bytes;
      follow(ticket, load);
    }
    drain();
  }

  private void follow(Ticket ticket, Load load) {
    switch (load) {
      case FINE -> callsMax = Math.min(budget.callsMax(), callsMax + 1);
      case AWAY -> callsMax = 1;
      case OVERLOADED -> {
        if (ticket.cut == cuts) {
          cuts++;
          callsMax = Math.max(1, callsMax / 2);
        }
      }
      case UNKNOWN -> {}
    }
  }

  /** How many calls may go at once now. */
  synchronized int callsMax() {
    return callsMax;
  }

  synchronized int waiting() {
    return waiting.size();
  }

  synchronized int calls() {
    return calls;
  }

  private void drain() {
    synchronized (this) {
      if (draining) {
        return;
      }
      draining = true;
    }
    for (Ticket next = admit(); next != null; next = admit()) {
      next.start.accept(next);
    }
  }

  private synchronized @Nullable Ticket admit() {
    for (Ticket first = waiting.peek(); first != null; first = waiting.peek()) {
      if (first.outer.isDone()) {
        waiting.remove();
        continue;
      }
      if (!fits(first)) {
        break;
      }
      waiting.remove();
      calls++;
      bytes += first.bytes;
      first.cut = cuts;
      return first;
    }
    draining = false;
    return null;
  }

  private boolean fits(Ticket ticket) {
    return calls == 0 || (calls < callsMax && bytes + ticket.bytes <= budget.bytesMax());
  }
}

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
 * <p>Any thread. Whoever changes the state drains the queue unless somebody is draining it, so that
 * calls that complete at once do not pile up on the stack.
 */
final class BudgetLane {
  /** A call in the lane: waiting, then under way. */
  record Ticket(long bytes, CompletableFuture<?> outer, Consumer<Ticket> start) {}

  private final Budget.Lane budget;
  private final Deque<Ticket> waiting = new ArrayDeque<>();
  private int calls;
  private long bytes;
  private boolean draining;

  BudgetLane(Budget.Lane budget) {
    this.budget = budget;
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

  void release(Ticket ticket) {
    synchronized (this) {
      calls--;
      bytes -= ticket.bytes();
    }
    drain();
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
      next.start().accept(next);
    }
  }

  private synchronized @Nullable Ticket admit() {
    for (Ticket first = waiting.peek(); first != null; first = waiting.peek()) {
      if (first.outer().isDone()) {
        waiting.remove();
        continue;
      }
      if (!fits(first)) {
        break;
      }
      waiting.remove();
      calls++;
      bytes += first.bytes();
      return first;
    }
    draining = false;
    return null;
  }

  private boolean fits(Ticket ticket) {
    return calls == 0 || (calls < budget.callsMax() && bytes + ticket.bytes() <= budget.bytesMax());
  }
}

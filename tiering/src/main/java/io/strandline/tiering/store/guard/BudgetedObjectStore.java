package io.strandline.tiering.store.guard;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable.Why;
import java.util.concurrent.CompletableFuture;
import java.util.function.BooleanSupplier;
import java.util.function.Predicate;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that is asked no more at once than a budget allows; the rest waits its turn, in order.
 *
 * <p>Metrics: {@code strandline.store.waiting} and {@code strandline.store.active}, by {@code
 * lane}.
 */
public final class BudgetedObjectStore extends DecoratedObjectStore {
  private final BudgetLane reads;
  private final BudgetLane writes;

  private final Predicate<StoreCall> away;

  /** Over a circuit, which knows when to begin again with one call. */
  public BudgetedObjectStore(CircuitObjectStore inner, Budget budget, MeterRegistry meters) {
    this(inner, budget, inner::isAway, meters);
  }

  /**
   * @param away whether the store is known to be away to calls like this
   */
  BudgetedObjectStore(
      ObjectStore inner, Budget budget, Predicate<StoreCall> away, MeterRegistry meters) {
    super(inner);
    this.away = away;
    this.reads = lane("reads", budget.reads(), meters);
    this.writes = lane("writes", budget.writes(), meters);
  }

  private static BudgetLane lane(String name, Budget.Lane budget, MeterRegistry meters) {
    BudgetLane lane = new BudgetLane(budget);
    Gauge.builder("strandline.store.waiting", lane, BudgetLane::waiting)
        .description("Calls that wait for their turn")
        .tag("lane", name)
        .register(meters);
    Gauge.builder("strandline.store.active", lane, BudgetLane::calls)
        .description("Calls under way")
        .tag("lane", name)
        .register(meters);
    Gauge.builder("strandline.store.calls.max", lane, BudgetLane::callsMax)
        .tag("lane", name)
        .register(meters);
    return lane;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    BudgetLane lane = call.operation().writes() ? writes : reads;
    CompletableFuture<T> outer = new CompletableFuture<>();
    new Turn<>(lane, () -> away.test(call), call, action, outer).enter();
    return outer;
  }

  /** One call: knows its ticket when its turn comes, which may be while it enters. */
  private record Turn<T>(
      BudgetLane lane,
      BooleanSupplier away,
      StoreCall call,
      Supplier<CompletableFuture<T>> action,
      CompletableFuture<T> outer) {
    void enter() {
      lane.enter(call, outer, this::start);
    }

    private void start(BudgetLane.Ticket ticket) {
      CompletableFuture<T> inner;
      try {
        inner = action.get();
      } catch (RuntimeException | Error e) {
        lane.release(ticket, BudgetLane.Load.UNKNOWN);
        outer.completeExceptionally(e);
        return;
      }
      link(inner, outer);
      // A cancelled call counts until the store within is done with it.
      CompletableFuture<T> unused =
          inner.whenComplete((value, thrown) -> lane.release(ticket, load(thrown)));
    }

    private BudgetLane.Load load(@Nullable Throwable thrown) {
      if (thrown == null) {
        return BudgetLane.Load.FINE;
      }
      StoreException known = StoreException.of(thrown);
      if (!(known instanceof StoreException.Unavailable failure)) {
        return known instanceof StoreException.Refused
            ? (away.getAsBoolean() ? BudgetLane.Load.AWAY : BudgetLane.Load.UNKNOWN)
            : BudgetLane.Load.FINE; // an answer, if not the one hoped for
      }
      if (failure.unasked() || away.getAsBoolean()) {
        return BudgetLane.Load.AWAY;
      }
      boolean overload = failure.why() == Why.THROTTLED || failure.why() == Why.LATE;
      return overload ? BudgetLane.Load.OVERLOADED : BudgetLane.Load.UNKNOWN;
    }
  }
}

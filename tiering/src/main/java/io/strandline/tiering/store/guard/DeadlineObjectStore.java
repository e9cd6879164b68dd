package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A store that answers within a deadline: after it, the caller gets {@link
 * StoreException.Unavailable} and what is under way is cancelled. A write may still happen, even
 * later.
 */
public final class DeadlineObjectStore extends DecoratedObjectStore {
  private final Deadline deadline;
  private final ScheduledExecutorService scheduler;

  public DeadlineObjectStore(
      ObjectStore inner, Deadline deadline, ScheduledExecutorService scheduler) {
    super(inner);
    this.deadline = deadline;
    this.scheduler = scheduler;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    CompletableFuture<T> inner = action.get();
    CompletableFuture<T> outer = linked(inner);
    if (outer.isDone()) {
      return outer;
    }
    long limitMs = deadline.of(call.bytes()).toMillis();
    Runnable giveUp =
        () -> {
          if (outer.completeExceptionally(late(call, limitMs))) {
            inner.cancel(true);
          }
        };
    try {
      ScheduledFuture<?> alarm = scheduler.schedule(giveUp, limitMs, TimeUnit.MILLISECONDS);
      CompletableFuture<T> unused = outer.whenComplete((value, thrown) -> alarm.cancel(false));
    } catch (RejectedExecutionException closing) {
      giveUp.run(); // Nobody would watch it.
    }
    return outer;
  }

  private static StoreException late(StoreCall call, long limitMs) {
    return new StoreException.Unavailable(
        call + ": no answer within " + limitMs + " ms", null, StoreException.Unavailable.Why.LATE);
  }
}

package io.strandline.tiering.store.memory;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;

/**
 * A store whose requests and answers get lost, late or doubled as a plan says: what an object store
 * behind a network may do within its contract. Time is the scheduler's; no delay means no task.
 */
public final class FaultyObjectStore extends DecoratedObjectStore {
  private final FaultPlan plan;
  private final ScheduledExecutorService scheduler;

  public FaultyObjectStore(ObjectStore inner, FaultPlan plan, ScheduledExecutorService scheduler) {
    super(inner);
    this.plan = plan;
    this.scheduler = scheduler;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    Fault fault = plan.next(call);
    CompletableFuture<T> answer = new CompletableFuture<>();
    switch (fault.kind()) {
      case NONE -> after(fault.before(), () -> answerLater(action.get(), fault, answer));
      case LOST_REQUEST -> after(fault.before(), () -> lose(call, "request", answer));
      case LOST_ANSWER ->
          after(
              fault.before(),
              () -> onceDone(action.get(), fault, () -> lose(call, "answer", answer)));
      case LATE_REQUEST -> {
        after(fault.before(), () -> ignored(action.get()));
        lose(call, "request (late)", answer);
      }
      case REPEATED ->
          after(
              fault.before(),
              () -> onceDone(action.get(), fault, () -> answerLater(action.get(), fault, answer)));
    }
    return answer;
  }

  private <T> void answerLater(
      CompletableFuture<T> inner, Fault fault, CompletableFuture<T> answer) {
    CompletableFuture<T> unused =
        inner.whenComplete((value, thrown) -> after(fault.after(), () -> link(inner, answer)));
  }

  private <T> void onceDone(CompletableFuture<T> inner, Fault fault, Runnable then) {
    CompletableFuture<T> unused = inner.whenComplete((value, thrown) -> after(fault.after(), then));
  }

  private static void lose(StoreCall call, String what, CompletableFuture<?> answer) {
    answer.completeExceptionally(
        new StoreException.Unavailable(call + ": injected loss of the " + what, null));
  }

  private static void ignored(CompletableFuture<?> unused) {}

  private void after(Duration delay, Runnable task) {
    if (delay.isZero()) {
      task.run();
    } else {
      ScheduledFuture<?> unused = scheduler.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
    }
  }
}

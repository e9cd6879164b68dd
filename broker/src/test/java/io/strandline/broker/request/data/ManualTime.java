package io.strandline.broker.request.data;

import java.util.Comparator;
import java.util.PriorityQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** A scheduler whose time passes when the test says so, on its thread. */
public final class ManualTime extends ScheduledThreadPoolExecutor {
  private final PriorityQueue<Task> tasks =
      new PriorityQueue<>(Comparator.comparingLong((Task task) -> task.atMs));
  private long nowMs;

  ManualTime() {
    super(1);
  }

  @Override
  public synchronized ScheduledFuture<?> schedule(Runnable step, long delay, TimeUnit unit) {
    Task task = new Task(step, nowMs + unit.toMillis(delay));
    tasks.add(task);
    return task;
  }

  @Override
  @SuppressWarnings("unchecked")
  public <V> ScheduledFuture<V> schedule(Callable<V> step, long delay, TimeUnit unit) {
    return (ScheduledFuture<V>) schedule((Runnable) new FutureTask<>(step), delay, unit);
  }

  public void pass(long ms) {
    nowMs += ms;
    for (Task next = tasks.peek(); next != null && next.atMs <= nowMs; next = tasks.peek()) {
      tasks.remove();
      next.run();
    }
  }

  /** Tasks that were neither run nor cancelled. */
  long armed() {
    return tasks.stream().filter(task -> !task.isCancelled()).count();
  }

  private static final class Task extends FutureTask<Object>
      implements RunnableScheduledFuture<Object> {
    private final long atMs;

    Task(Runnable step, long atMs) {
      super(step, new Object());
      this.atMs = atMs;
    }

    @Override
    public boolean isPeriodic() {
      return false;
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(atMs, TimeUnit.MILLISECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(getDelay(TimeUnit.MILLISECONDS), other.getDelay(TimeUnit.MILLISECONDS));
    }
  }
}

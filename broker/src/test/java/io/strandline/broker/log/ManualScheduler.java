package io.strandline.broker.log;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;

/** Delayed tasks that run when the test says so, on its thread. */
final class ManualScheduler extends ScheduledThreadPoolExecutor {
  private final Queue<RunnableScheduledFuture<?>> waiting = new ArrayDeque<>();

  ManualScheduler() {
    super(1);
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
    RunnableScheduledFuture<?> future = decorateTask(task, future(task, delay, unit));
    waiting.add(future);
    return future;
  }

  private RunnableScheduledFuture<Object> future(Runnable task, long delay, TimeUnit unit) {
    Callable<Object> callable = Executors.callable(task);
    return new Task(callable, unit.toNanos(delay));
  }

  int runAll() {
    int ran = 0;
    for (RunnableScheduledFuture<?> next = waiting.poll(); next != null; next = waiting.poll()) {
      next.run();
      ran++;
    }
    return ran;
  }

  private static final class Task extends java.util.concurrent.FutureTask<Object>
      implements RunnableScheduledFuture<Object> {
    private final long delayNanos;

    Task(Callable<Object> callable, long delayNanos) {
      super(callable);
      this.delayNanos = delayNanos;
    }

    @Override
    public boolean isPeriodic() {
      return false;
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(delayNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(java.util.concurrent.Delayed other) {
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }
  }
}

package io.strandline.tiering.store;

import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.AbstractExecutorService;
import java.util.concurrent.Callable;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/** A scheduler whose time moves when a test says so; one thread. */
public final class VirtualScheduler extends AbstractExecutorService
    implements ScheduledExecutorService {
  private final PriorityQueue<Task<?>> tasks =
      new PriorityQueue<>(
          Comparator.<Task<?>>comparingLong(task -> task.atNanos)
              .thenComparingLong(task -> task.number));
  private long nowNanos;
  private long numbers;

  public long nanos() {
    return nowNanos;
  }

  /** Runs what is due within {@code time} from now, in order. */
  public void advance(Duration time) {
    long end = nowNanos + time.toNanos();
    while (!tasks.isEmpty() && tasks.element().atNanos <= end) {
      Task<?> task = tasks.remove();
      nowNanos = task.atNanos;
      task.run();
    }
    nowNanos = end;
  }

  /** How many tasks wait that are not cancelled. */
  public long waiting() {
    return tasks.stream().filter(task -> !task.isCancelled()).count();
  }

  private final class Task<T> extends FutureTask<T> implements ScheduledFuture<T> {
    private final long atNanos;
    private final long number = numbers++;

    Task(Callable<T> work, long atNanos) {
      super(work);
      this.atNanos = atNanos;
    }

    @Override
    public long getDelay(TimeUnit unit) {
      return unit.convert(atNanos - nowNanos, TimeUnit.NANOSECONDS);
    }

    @Override
    public int compareTo(Delayed other) {
      return Long.compare(getDelay(TimeUnit.NANOSECONDS), other.getDelay(TimeUnit.NANOSECONDS));
    }
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> work, long delay, TimeUnit unit) {
    Task<V> task = new Task<>(work, nowNanos + unit.toNanos(delay));
    tasks.add(task);
    return task;
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable work, long delay, TimeUnit unit) {
    return schedule(java.util.concurrent.Executors.callable(work), delay, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable work, long initialDelay, long period, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable work, long initialDelay, long delay, TimeUnit unit) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void execute(Runnable work) {
    work.run();
  }

  @Override
  public void shutdown() {
    tasks.clear();
  }

  @Override
  public List<Runnable> shutdownNow() {
    tasks.clear();
    return List.of();
  }

  @Override
  public boolean isShutdown() {
    return false;
  }

  @Override
  public boolean isTerminated() {
    return false;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return true;
  }
}

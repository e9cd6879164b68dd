package io.strandline.tests.simulation;

import java.time.Instant;
import java.time.InstantSource;
import java.util.PriorityQueue;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Delayed;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RunnableScheduledFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.random.RandomGenerator;

/**
 * Virtual time and the only thread: tasks run one after another, in the order of their times, those
 * of one time in an order that chance decides. Time passes only between tasks.
 */
final class SimulatedTime extends VirtualScheduler implements InstantSource {
  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private final RandomGenerator random;
  private final PriorityQueue<Task<?>> tasks = new PriorityQueue<>(SimulatedTime::order);
  private long nowNanos;
  private long numbers;

  SimulatedTime(RandomGenerator random) {
    this.random = random;
  }

  private static int order(Task<?> a, Task<?> b) {
    int byTime = Long.compare(a.atNanos, b.atNanos);
    int byLot = byTime != 0 ? byTime : Integer.compare(a.lot, b.lot);
    return byLot != 0 ? byLot : Long.compare(a.number, b.number);
  }

  @Override
  public Instant instant() {
    return START.plusNanos(nowNanos);
  }

  long nanos() {
    return nowNanos;
  }

  /** Runs all tasks due until then. */
  void runFor(long durationNanos) {
    long until = nowNanos + durationNanos;
    while (!tasks.isEmpty() && tasks.element().atNanos <= until) {
      Task<?> task = tasks.remove();
      nowNanos = Math.max(nowNanos, task.atNanos);
      task.run();
    }
    nowNanos = until;
  }

  /** Runs until the future is done, at most so long. */
  <T> T await(CompletableFuture<T> future, long limitNanos) {
    long until = nowNanos + limitNanos;
    while (!future.isDone() && nowNanos < until) {
      runFor(1_000_000);
    }
    if (!future.isDone()) {
      throw new AssertionError("nothing came of it in " + limitNanos + " ns of virtual time");
    }
    return future.join();
  }

  @Override
  public void execute(Runnable task) {
    Task<?> unused = add(new Task<>(task, nowNanos + random.nextInt(1000), 0));
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
    return add(new Task<>(task, nowNanos + unit.toNanos(delay), 0));
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
    return add(new Task<>(task, nowNanos + unit.toNanos(delay)));
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable task, long delay, long period, TimeUnit unit) {
    return add(new Task<>(task, nowNanos + unit.toNanos(delay), unit.toNanos(period)));
  }

  private <V> Task<V> add(Task<V> task) {
    tasks.add(task);
    return task;
  }

  private final class Task<V> extends FutureTask<V> implements RunnableScheduledFuture<V> {
    private final long periodNanos;
    private final long number = numbers++;
    private final int lot = random.nextInt();
    private long atNanos;

    Task(Runnable task, long atNanos, long periodNanos) {
      super(task, null);
      this.atNanos = atNanos;
      this.periodNanos = periodNanos;
    }

    Task(Callable<V> task, long atNanos) {
      super(task);
      this.atNanos = atNanos;
      this.periodNanos = 0;
    }

    @Override
    public void run() {
      if (periodNanos == 0) {
        super.run();
      } else if (super.runAndReset()) {
        atNanos = nowNanos + periodNanos;
        tasks.add(this);
      }
    }

    @Override
    public boolean isPeriodic() {
      return periodNanos != 0;
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
}

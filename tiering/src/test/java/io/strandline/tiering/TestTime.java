package io.strandline.tiering;

import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
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

/** A clock and an executor in one, that go on only when told: one thread, one order. */
final class TestTime extends AbstractExecutorService
    implements ScheduledExecutorService, InstantSource {
  private final PriorityQueue<Task<?>> tasks =
      new PriorityQueue<>(
          Comparator.<Task<?>>comparingLong(t -> t.atNanos).thenComparingLong(t -> t.number));
  private long nowNanos = TimeUnit.DAYS.toNanos(10_000);
  private long numbers;
  private long wrongMs;
  private boolean dead;

  private final class Task<T> extends FutureTask<T> implements ScheduledFuture<T> {
    final long atNanos;
    final long number = numbers++;

    Task(Callable<T> call, long atNanos) {
      super(call);
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

  /** Runs all tasks due within so many milliseconds, in order. */
  void advance(long ms) {
    long until = nowNanos + TimeUnit.MILLISECONDS.toNanos(ms);
    while (!tasks.isEmpty() && tasks.peek().atNanos <= until) {
      Task<?> next = tasks.remove();
      nowNanos = Math.max(nowNanos, next.atNanos);
      next.run();
    }
    nowNanos = until;
  }

  /**
   * The wall clock is wrong by so much from now on; tasks are run when they are due all the same.
   */
  void wrongBy(long ms) {
    wrongMs = ms;
  }

  /** Drops everything that was to be done: the process is gone, the clock goes on. */
  void kill() {
    tasks.clear();
  }

  @Override
  public Instant instant() {
    return Instant.ofEpochMilli(millis());
  }

  @Override
  public long millis() {
    return TimeUnit.NANOSECONDS.toMillis(nowNanos) + wrongMs;
  }

  @Override
  public void execute(Runnable command) {
    tasks.add(new Task<>(call(command), nowNanos));
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable command, long delay, TimeUnit unit) {
    return schedule(call(command), delay, unit);
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> callable, long delay, TimeUnit unit) {
    Task<V> task = new Task<>(callable, nowNanos + unit.toNanos(delay));
    tasks.add(task);
    return task;
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable command, long initialDelay, long period, TimeUnit unit) {
    return scheduleWithFixedDelay(command, initialDelay, period, unit);
  }

  @Override
  public ScheduledFuture<?> scheduleWithFixedDelay(
      Runnable command, long initialDelay, long delay, TimeUnit unit) {
    Runnable again =
        () -> {
          command.run();
          var unused = scheduleWithFixedDelay(command, delay, delay, unit);
        };
    return schedule(again, initialDelay, unit);
  }

  private static Callable<Object> call(Runnable command) {
    return () -> {
      command.run();
      return TestTime.class;
    };
  }

  @Override
  public void shutdown() {
    dead = true;
  }

  @Override
  public List<Runnable> shutdownNow() {
    dead = true;
    return new ArrayList<>(tasks);
  }

  @Override
  public boolean isShutdown() {
    return dead;
  }

  @Override
  public boolean isTerminated() {
    return dead;
  }

  @Override
  public boolean awaitTermination(long timeout, TimeUnit unit) {
    return true;
  }
}

package io.strandline.tests.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;

/**
 * A process that may sleep, its threads all at once and without noticing, or die: then nothing of
 * it ever runs again.
 */
final class SimulatedProcess extends VirtualScheduler {
  private final SimulatedTime time;
  private final List<Runnable> waiting = new ArrayList<>();
  private boolean asleep;
  private boolean dead;

  SimulatedProcess(SimulatedTime time) {
    this.time = time;
  }

  @Override
  public void execute(Runnable task) {
    time.execute(() -> runOrWait(task));
  }

  @Override
  public ScheduledFuture<?> schedule(Runnable task, long delay, TimeUnit unit) {
    return time.schedule(() -> runOrWait(task), delay, unit);
  }

  @Override
  public <V> ScheduledFuture<V> schedule(Callable<V> task, long delay, TimeUnit unit) {
    throw new UnsupportedOperationException("nobody needs it yet");
  }

  @Override
  public ScheduledFuture<?> scheduleAtFixedRate(
      Runnable task, long delay, long period, TimeUnit unit) {
    return time.scheduleAtFixedRate(() -> runOrWait(task), delay, period, unit);
  }

  void sleep(long durationNanos) {
    asleep = true;
    var unused = time.schedule(this::wake, durationNanos, TimeUnit.NANOSECONDS);
  }

  void die() {
    dead = true;
    waiting.clear();
  }

  boolean alive() {
    return !dead;
  }

  /** Whether it would answer. */
  boolean awake() {
    return !dead && !asleep;
  }

  private void wake() {
    asleep = false;
    List<Runnable> late = List.copyOf(waiting);
    waiting.clear();
    late.forEach(this::execute);
  }

  private void runOrWait(Runnable task) {
    if (asleep) {
      waiting.add(task);
    } else if (!dead) {
      task.run();
    }
  }
}

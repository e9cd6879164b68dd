package io.strandline.tests.simulation;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;

/**
 * A process that may sleep, its threads all at once and without noticing, or die: then nothing of
 * it ever runs again.
 */
final class SimulatedProcess implements Executor {
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

package io.strandline.cache;

import java.util.ArrayDeque;
import java.util.concurrent.Executor;

/** Runs tasks in the calling thread, one after another, never one inside another. */
public final class SerialExecutor implements Executor {
  private final ArrayDeque<Runnable> tasks = new ArrayDeque<>();
  private boolean running;
  private boolean paused;

  @Override
  public void execute(Runnable task) {
    tasks.add(task);
    if (!running && !paused) {
      run();
    }
  }

  /** Keeps tasks until {@link #resume}. */
  public void pause() {
    paused = true;
  }

  public void resume() {
    paused = false;
    run();
  }

  private void run() {
    running = true;
    try {
      for (Runnable task = tasks.poll(); task != null; task = tasks.poll()) {
        task.run();
      }
    } finally {
      running = false;
    }
  }
}

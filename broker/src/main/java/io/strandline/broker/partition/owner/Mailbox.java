package io.strandline.broker.partition.owner;

import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The one owner of an entity, without a thread of its own: tasks in a queue, carried out by whoever
 * holds the token (design D10).
 *
 * <p>A thread that submits a task and gets the token carries out what is queued; one that does not
 * goes on, and the holder carries out its task. A thread that must not block, as an event loop,
 * carries out only tasks that call themselves inline and only so many at a time; at any other it
 * passes the token to the slow executor. Tasks run one at a time, in the order submitted.
 *
 * <p>What a task has to tell others goes through {@link #after}: it runs when the token has been
 * given back, so it may submit to other owners, and holds up nobody who waits for this one.
 *
 * <p>Whatever throws, be it a task, a question to one or a step afterwards, is logged and does not
 * keep the token: an entity whose token is lost serves nobody ever again.
 */
public final class Mailbox {
  private static final Logger LOG = LoggerFactory.getLogger(Mailbox.class);

  /** What an event loop carries out at most before it passes the token on. */
  private static final int INLINE_BURST = 64;

  /** What a thread of the slow executor carries out at most before it lets others use the pool. */
  private static final int SLOW_BURST = 1024;

  /** A step of the owner, which answers for its own failures. */
  public interface Task extends Runnable {
    /** Whether an event loop may carry it out; asked by the holder, right before. */
    boolean inline();
  }

  private final Queue<Task> tasks = new ConcurrentLinkedQueue<>();
  private final AtomicBoolean token = new AtomicBoolean();
  private final Executor slow;
  private final Runnable atRest;
  private List<Runnable> afterwards = new ArrayList<>(); // the holder's
  private volatile @Nullable Thread holder;

  /**
   * @param slow carries out what may block
   * @param atRest run by the holder before it gives the token back, after some tasks
   */
  public Mailbox(Executor slow, Runnable atRest) {
    this.slow = slow;
    this.atRest = atRest;
  }

  /** Carries the task out now or has it carried out; never blocks if the task is inline. */
  public void submit(Task task) {
    tasks.add(task);
    if (token.compareAndSet(false, true)) {
      drain(false);
    }
  }

  /** A task that may block: never on the caller's thread unless the slow executor is that. */
  public void submitSlow(Runnable task) {
    submit(task(task, false));
  }

  /** A task that never blocks. */
  public void submitInline(Runnable task) {
    submit(task(task, true));
  }

  /**
   * Carries the task out and waits for it; at once when the calling thread holds the token already.
   * For threads that may block, but not those of the slow executor, which others may wait for.
   */
  public <T> T call(Supplier<T> task) {
    if (holder == Thread.currentThread()) {
      return task.get();
    }
    CompletableFuture<T> result = new CompletableFuture<>();
    Runnable step =
        () -> {
          try {
            result.complete(task.get());
          } catch (RuntimeException | Error failure) {
            result.completeExceptionally(failure);
          }
        };
    tasks.add(task(step, false));
    if (token.compareAndSet(false, true)) {
      drain(true);
    }
    try {
      return result.join();
    } catch (CompletionException wrapped) {
      throw wrapped.getCause() instanceof RuntimeException cause ? cause : wrapped;
    }
  }

  /**
   * The task's result, told when the token has been given back.
   *
   * @param inline whether the task never blocks
   */
  public <T> CompletableFuture<T> ask(Supplier<T> task, boolean inline) {
    CompletableFuture<T> result = new CompletableFuture<>();
    submit(
        task(
            () -> {
              try {
                T answer = task.get();
                after(() -> result.complete(answer));
              } catch (RuntimeException | Error failure) {
                after(() -> result.completeExceptionally(failure));
              }
            },
            inline));
    return result;
  }

  /** As above, for a task without a result. */
  public CompletableFuture<Void> ask(Runnable task, boolean inline) {
    return ask(
            () -> {
              task.run();
              return true;
            },
            inline)
        .thenAccept(done -> {});
  }

  /** Runs when the token has been given back; for the holder only. */
  public void after(Runnable step) {
    afterwards.add(step);
  }

  private static Task task(Runnable step, boolean inline) {
    return new Task() {
      @Override
      public boolean inline() {
        return inline;
      }

      @Override
      public void run() {
        step.run();
      }
    };
  }

  /** Called with the token; gives it back or passes it on. */
  private void drain(boolean mayBlock) {
    int left = mayBlock ? SLOW_BURST : INLINE_BURST;
    do {
      holder = Thread.currentThread();
      boolean passOn = false;
      for (Task task = tasks.peek(); task != null; task = tasks.peek()) {
        if (left-- <= 0 || (!mayBlock && !inline(task))) {
          passOn = true;
          break;
        }
        tasks.remove();
        guarded(task);
      }
      guarded(atRest);
      List<Runnable> steps = taken();
      holder = null;
      if (passOn) {
        passOn();
        steps.forEach(Mailbox::guarded);
        return;
      }
      token.set(false);
      steps.forEach(Mailbox::guarded);
    } while (!tasks.isEmpty() && token.compareAndSet(false, true));
  }

  /**
   * The steps that wait, this thread's alone from now on: the next holder, who may begin before
   * they have run, gathers its own in a list of its own.
   */
  private List<Runnable> taken() {
    if (afterwards.isEmpty()) {
      return List.of();
    }
    List<Runnable> steps = afterwards;
    afterwards = new ArrayList<>();
    return steps;
  }

  /** A task that cannot even say goes where it may do anything. */
  private static boolean inline(Task task) {
    try {
      return task.inline();
    } catch (RuntimeException failure) {
      return false;
    }
  }

  private static void guarded(Runnable step) {
    try {
      step.run();
    } catch (RuntimeException | Error failure) {
      LOG.atError().setCause(failure).log("a step of an owner failed");
    }
  }

  private void passOn() {
    AtomicBoolean taken = new AtomicBoolean(); // a pool may have kept what it failed to begin
    Runnable holding =
        () -> {
          if (taken.compareAndSet(false, true)) {
            drain(true);
          }
        };
    try {
      slow.execute(holding);
    } catch (RuntimeException | Error refused) {
      holding.run(); // the pool is gone, or has no thread: better late on this one than never
    }
  }
}

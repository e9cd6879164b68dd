package io.strandline.tiering.scrub;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Deque;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/**
 * Lets one partition of a broker be read at a time, in the order they came, with rests between
 * GETs. Nobody is kept waiting whose leadership has ended, once {@link #look} was called.
 * Thread-safe.
 */
public final class ScrubTurns {
  private record Waiting(BooleanSupplier left, CompletableFuture<Boolean> go) {}

  private final ScheduledExecutorService timer;
  private final Deque<Waiting> queue = new ArrayDeque<>();
  private final Collection<Waiting> resting = new HashSet<>();
  private boolean taken;
  private boolean granting;

  public ScrubTurns(ScheduledExecutorService timer) {
    this.timer = timer;
  }

  /**
   * @return whether it is one's turn, which {@link #exit} must end; not so if one has left
   */
  CompletableFuture<Boolean> enter(BooleanSupplier left) {
    Waiting waiting = new Waiting(left, new CompletableFuture<>());
    synchronized (this) {
      queue.add(waiting);
    }
    next();
    return waiting.go;
  }

  void exit() {
    synchronized (this) {
      taken = false;
    }
    next();
  }

  /**
   * @return after so long, whether to go on; at once not so if one has left
   */
  CompletableFuture<Boolean> rest(long ms, BooleanSupplier left) {
    Waiting waiting = new Waiting(left, new CompletableFuture<>());
    synchronized (this) {
      resting.add(waiting);
    }
    try {
      ScheduledFuture<?> unused =
          timer.schedule(() -> rested(waiting), Math.max(1, ms), TimeUnit.MILLISECONDS);
    } catch (RejectedExecutionException closing) {
      waiting.go.complete(false);
    }
    look();
    return waiting.go;
  }

  private void rested(Waiting waiting) {
    synchronized (this) {
      resting.remove(waiting);
    }
    waiting.go.complete(!waiting.left.getAsBoolean());
  }

  /** Sends away who has left. */
  public void look() {
    List<Waiting> gone = new ArrayList<>();
    synchronized (this) {
      take(queue.iterator(), gone);
      take(resting.iterator(), gone);
    }
    gone.forEach(waiting -> waiting.go.complete(false));
  }

  private static void take(Iterator<Waiting> from, List<Waiting> gone) {
    while (from.hasNext()) {
      Waiting waiting = from.next();
      if (waiting.left.getAsBoolean()) {
        from.remove();
        gone.add(waiting);
      }
    }
  }

  private void next() {
    look();
    while (true) {
      Waiting first;
      synchronized (this) {
        if (granting || taken || queue.isEmpty()) {
          return;
        }
        granting = true;
        taken = true;
        first = queue.remove();
      }
      first.go.complete(true); // whose turn may be over by now: then the next has its turn here
      synchronized (this) {
        granting = false;
      }
    }
  }
}

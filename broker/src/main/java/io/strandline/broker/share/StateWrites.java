package io.strandline.broker.share;

import io.strandline.broker.share.window.Change;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Writes the changes of a share partition down in the order in which they were made: one write at a
 * time, which holds all that came while the one before was under way.
 *
 * <p>{@link #add} under the lock under which the change was made, {@link #send} outside it.
 */
final class StateWrites {
  /** A change, and who waits for it. */
  record Waiting(Change change, CompletableFuture<Void> written) {}

  private final Function<List<Change>, CompletableFuture<Void>> write;
  private List<Waiting> queued = new ArrayList<>(); // guarded by this
  private boolean busy;
  private CompletableFuture<Void> idle = CompletableFuture.completedFuture(null);

  /**
   * @param write completes when the changes are written down and settled, fails when they are not
   */
  StateWrites(Function<List<Change>, CompletableFuture<Void>> write) {
    this.write = write;
  }

  synchronized CompletableFuture<Void> add(Change change) {
    CompletableFuture<Void> written = new CompletableFuture<>();
    if (change.isEmpty()) {
      written.complete(null);
      return written;
    }
    if (idle.isDone()) {
      idle = new CompletableFuture<>();
    }
    queued.add(new Waiting(change, written));
    return written;
  }

  /** Completes when all that was added is through. */
  synchronized CompletableFuture<Void> idle() {
    return idle;
  }

  void send() {
    List<Waiting> batch;
    synchronized (this) {
      if (busy || queued.isEmpty()) {
        return;
      }
      busy = true;
      batch = queued;
      queued = new ArrayList<>();
    }
    CompletableFuture<Void> under;
    try {
      under = write.apply(batch.stream().map(Waiting::change).toList());
    } catch (RuntimeException failure) {
      under = CompletableFuture.failedFuture(failure);
    }
    var unused = under.whenComplete((done, failure) -> through(batch, failure));
  }

  private void through(List<Waiting> batch, @Nullable Throwable failure) {
    synchronized (this) {
      busy = false;
    }
    for (Waiting waiting : batch) {
      if (failure == null) {
        waiting.written.complete(null);
      } else {
        waiting.written.completeExceptionally(failure);
      }
    }
    send();
    rest();
  }

  /** Who was told of a write may have begun the next: that one is waited for too. */
  private void rest() {
    CompletableFuture<Void> through;
    synchronized (this) {
      if (busy || !queued.isEmpty()) {
        return;
      }
      through = idle;
      idle = CompletableFuture.completedFuture(null); // what is added from now on has its own
    }
    through.complete(null);
  }
}

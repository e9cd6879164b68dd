package io.strandline.tiering.store.guard;

import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import java.util.random.RandomGenerator;

/**
 * A store that tries again after {@link StoreException.Unavailable} and after nothing else, unless
 * the store was not even asked.
 *
 * <p>Conditional writes are tried again too, and this is what it means for their caller, no more
 * than what the port says already:
 *
 * <ul>
 *   <li>success: the write of some try of this call won;
 *   <li>{@link StoreException.PreconditionFailed}: may be the echo of an earlier try of this very
 *       call that won though its answer was lost: read before deciding;
 *   <li>{@link StoreException.Unavailable}: unknown, and a try may still be on its way: it can land
 *       after a later write of somebody else made its condition true again. Who deletes or reverts
 *       an object must not rely on its key or etag being free only because nobody waits any more.
 * </ul>
 */
public final class RetryingObjectStore extends DecoratedObjectStore {
  private final Retry policy;
  private final Later later;
  private final RandomGenerator random;
  private final LongSupplier nanoTicker;

  /**
   * What later tries begin by.
   *
   * @param scheduler says when; others' deadlines wait on it, too
   * @param executor runs them, as a call may wait for its credentials
   */
  public record Later(ScheduledExecutorService scheduler, Executor executor) {
    private void run(Runnable task, Duration delay, Consumer<RejectedExecutionException> refused) {
      try {
        ScheduledFuture<?> unused =
            scheduler.schedule(() -> handOn(task, refused), delay.toNanos(), TimeUnit.NANOSECONDS);
      } catch (RejectedExecutionException closing) {
        refused.accept(closing);
      }
    }

    private void handOn(Runnable task, Consumer<RejectedExecutionException> refused) {
      try {
        executor.execute(task);
      } catch (RejectedExecutionException closing) {
        refused.accept(closing);
      }
    }
  }

  /**
   * @param random used under a lock, so it need not be safe for threads
   */
  public RetryingObjectStore(
      ObjectStore inner,
      Retry policy,
      Later later,
      RandomGenerator random,
      LongSupplier nanoTicker) {
    super(inner);
    this.policy = policy;
    this.later = later;
    this.random = random;
    this.nanoTicker = nanoTicker;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    Tries<T> tries = new Tries<>(action, nanoTicker.getAsLong());
    tries.next();
    return tries.outer;
  }

  private Duration delay(int failures) {
    synchronized (random) {
      return policy.delay(failures, random);
    }
  }

  /** The tries of one call; one at a time. */
  private final class Tries<T> {
    private final Supplier<CompletableFuture<T>> action;
    private final long beganNanos;
    private final CompletableFuture<T> outer = new CompletableFuture<>();
    private int failures;

    Tries(Supplier<CompletableFuture<T>> action, long beganNanos) {
      this.action = action;
      this.beganNanos = beganNanos;
    }

    void next() {
      if (outer.isDone()) {
        return;
      }
      CompletableFuture<T> inner = action.get();
      cancelWith(outer, inner);
      CompletableFuture<T> unused =
          inner.whenComplete(
              (value, thrown) -> {
                if (thrown == null) {
                  outer.complete(value);
                } else {
                  failed(StoreException.of(thrown));
                }
              });
    }

    private void failed(StoreException thrown) {
      failures++;
      Duration delay = delay(failures);
      long wouldBeNanos = nanoTicker.getAsLong() - beganNanos + delay.toNanos();
      if (!(thrown instanceof StoreException.Unavailable away)
          || away.unasked()
          || failures >= policy.attemptsMax()
          || wouldBeNanos > policy.giveUpAfter().toNanos()) {
        outer.completeExceptionally(thrown);
        return;
      }
      later.run(
          this::next,
          delay,
          closing -> {
            thrown.addSuppressed(closing);
            outer.completeExceptionally(thrown);
          });
    }
  }
}

package io.strandline.tiering;

import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.store.StoreException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/**
 * Runs one partition's passes, never two at a time: again when due, later after a failure, never
 * again once fenced. Threads: any.
 */
final class TierRunner {
  private static final Logger LOG = LoggerFactory.getLogger(TierRunner.class);

  private final TierShared shared;
  private final TopicIdPartition partition;
  private final Supplier<CompletableFuture<Integer>> pass;
  private final long pauseMs;

  /** Completes when no pass runs. */
  private CompletableFuture<Void> idle;

  private long dueMs;
  private int failures;
  private TierTrouble trouble = TierTrouble.NONE;
  private boolean ended;

  /** Asked for while a pass runs: should it fail, then for a reason of before. */
  private boolean again;

  /**
   * @param after nothing begins before
   */
  TierRunner(
      TierShared shared,
      TopicIdPartition partition,
      long pauseMs,
      Supplier<CompletableFuture<Integer>> pass,
      CompletableFuture<Void> after) {
    this.shared = shared;
    this.partition = partition;
    this.pauseMs = pauseMs;
    this.pass = pass;
    this.idle = after;
  }

  /**
   * Begins a pass if one is due and none runs.
   *
   * @param nowMs by the steady clock
   */
  boolean beginIfDue(long nowMs) {
    CompletableFuture<Void> done = new CompletableFuture<>();
    synchronized (this) {
      if (ended || nowMs < dueMs || !idle.isDone()) {
        return false;
      }
      idle = done;
      again = false;
    }
    CompletableFuture<Integer> running;
    try {
      running = pass.get();
    } catch (RuntimeException | Error e) { // or no pass would ever begin again
      running = CompletableFuture.failedFuture(e);
    }
    CompletableFuture<Integer> unused =
        running.whenComplete(
            (work, failure) -> {
              settle(work, failure);
              done.complete(null);
            });
    return true;
  }

  synchronized void dueNow() {
    if (failures == 0) {
      dueMs = 0;
    }
  }

  /** Tries again at the next turn, or when the pass that runs has failed, however often it has. */
  synchronized void retryNow() {
    dueMs = 0;
    again = !idle.isDone();
  }

  /** Why the last pass failed. */
  synchronized TierTrouble trouble() {
    return trouble;
  }

  /** No pass begins any more; completes when none runs. */
  synchronized CompletableFuture<Void> end() {
    ended = true;
    return idle;
  }

  synchronized boolean failing() {
    return failures > 0;
  }

  private void settle(@Nullable Integer work, @Nullable Throwable thrown) {
    Throwable failure =
        thrown instanceof CompletionException && thrown.getCause() != null
            ? thrown.getCause()
            : thrown;
    int failedInARow;
    synchronized (this) {
      long nowMs = shared.steadyMs();
      if (failure == null) {
        failures = 0;
        trouble = TierTrouble.NONE;
        dueMs = work == null || work == 0 ? nowMs + pauseMs : nowMs;
        return;
      }
      if (failure instanceof FencedException) {
        ended = true;
        shared.metrics().fenced.increment();
      } else {
        failures++;
        trouble = TierTrouble.of(failure);
        dueMs = again ? nowMs : nowMs + shared.backoffMs(failures);
        shared.metrics().failures.increment();
      }
      failedInARow = failures;
    }
    // Of failures in a row every one is counted and few are told: an outage meets all partitions.
    // Nor is what the guard of the store has told for all of them.
    boolean told = failure instanceof StoreException.Unavailable away && away.unasked();
    boolean few = Integer.bitCount(failedInARow) <= 1 && !told;
    Level level = few ? Level.WARN : Level.DEBUG;
    LOG.atLevel(level)
        .addKeyValue("partition", partition)
        .addKeyValue("count", failedInARow)
        .addKeyValue("reason", failure.toString())
        .log("tiering did not get on");
  }
}

package io.strandline.tiering.upkeep;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.manifest.FencedException;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.store.StoreException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.function.IntToLongFunction;
import java.util.function.LongSupplier;
import org.apache.kafka.common.TopicIdPartition;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.event.Level;

/** The chores of one partition, each when it is due. Threads: any; one round at a time. */
public final class ChoreRound {
  private static final Logger LOG = LoggerFactory.getLogger(ChoreRound.class);

  /** Failures after which the pace's own pauses have grown to their longest. */
  private static final int DOUBLINGS = 8;

  private static final int MORE_DOUBLINGS = 12;

  /**
   * @param clockMs now
   * @param backoffMs pause after so many failures in a row
   */
  public record Pace(LongSupplier clockMs, IntToLongFunction backoffMs, MeterRegistry metrics) {}

  private final TopicIdPartition partition;
  private final Pace pace;
  private final List<Turns> turns;

  public ChoreRound(TopicIdPartition partition, List<Chore> chores, Pace pace) {
    this.partition = partition;
    this.pace = pace;
    this.turns = chores.stream().map(Turns::new).toList();
  }

  public boolean due() {
    long nowMs = pace.clockMs.getAsLong();
    return turns.stream().anyMatch(t -> t.due(nowMs));
  }

  /** Lets the chore have its turn at the next round. */
  public void dueNow(Class<? extends Chore> chore) {
    turns.stream().filter(t -> chore.isInstance(t.chore)).forEach(Turns::dueNow);
  }

  public boolean failing() {
    return turns.stream().anyMatch(Turns::failing);
  }

  /** Completes when no turn runs; true to say only after rounds have ended for good. */
  public CompletableFuture<Void> idle() {
    return CompletableFuture.allOf(
        turns.stream().map(Turns::running).toArray(CompletableFuture[]::new));
  }

  /**
   * Gives each due chore its turn, in order; waits for all but those that run beside.
   *
   * @param committed whether segments were committed just now
   * @return things done; fails only with {@link FencedException}
   */
  public CompletableFuture<Integer> run(
      ManifestWriter writer, boolean committed, BooleanSupplier left) {
    CompletableFuture<Integer> all = CompletableFuture.completedFuture(0);
    for (Turns each : turns) {
      all =
          all.thenCompose(
              before -> {
                boolean now =
                    each.due(pace.clockMs.getAsLong()) || (committed && each.chore.afterCommit());
                if (!now || left.getAsBoolean()) {
                  return CompletableFuture.completedFuture(before);
                }
                CompletableFuture<Integer> turn = each.begin(writer, left);
                return each.chore.beside()
                    ? CompletableFuture.completedFuture(before)
                    : turn.thenApply(done -> before + done);
              });
    }
    return all;
  }

  /** One chore and when it is due. */
  private final class Turns {
    private final Chore chore;
    private CompletableFuture<Void> running = CompletableFuture.completedFuture(null);
    private long dueMs;
    private int failures;
    private final Counter failed;

    Turns(Chore chore) {
      this.chore = chore;
      this.failed =
          pace.metrics.counter("strandline.tiering.chore.failures", "chore", chore.name());
      this.dueMs = pace.clockMs.getAsLong() + chore.firstPauseMs();
    }

    synchronized boolean due(long nowMs) {
      return nowMs >= dueMs && running.isDone();
    }

    synchronized void dueNow() {
      dueMs = failures == 0 ? Long.MIN_VALUE : dueMs;
    }

    synchronized boolean failing() {
      return failures > 0;
    }

    synchronized CompletableFuture<Void> running() {
      return running;
    }

    /**
     * @return fails only with {@link FencedException}
     */
    CompletableFuture<Integer> begin(ManifestWriter writer, BooleanSupplier left) {
      CompletableFuture<Void> ended = new CompletableFuture<>();
      synchronized (this) {
        if (!running.isDone()) {
          return CompletableFuture.completedFuture(0);
        }
        running = ended;
      }
      CompletableFuture<Integer> turn;
      try {
        turn = chore.turn(writer, left);
      } catch (RuntimeException | Error e) { // or it would never have a turn again
        turn = CompletableFuture.failedFuture(e);
      }
      return turn.handle(this::settle).whenComplete((done, failure) -> ended.complete(null));
    }

    private int settle(@Nullable Integer done, @Nullable Throwable thrown) {
      Throwable failure = thrown;
      while (failure instanceof CompletionException && failure.getCause() != null) {
        failure = failure.getCause();
      }
      if (failure instanceof FencedException fenced) {
        throw fenced;
      }
      int count = done == null ? 0 : done;
      int failedInARow;
      synchronized (this) {
        failures = failure == null ? 0 : failures + 1;
        failedInARow = failures;
        long pauseMs = failure == null ? chore.pauseMs(count) : afterFailures(failure, failures);
        dueMs = pace.clockMs.getAsLong() + pauseMs;
      }
      if (failure != null) {
        tell(failure, failedInARow);
      }
      return count;
    }

    /**
     * The pace's own pauses first; then they go on doubling up to what suits the chore, unless it
     * is the store that is away: what it kept from being done is due as soon as it is back.
     */
    private long afterFailures(Throwable failure, int inARow) {
      long pauseMs = pace.backoffMs.applyAsLong(inARow);
      if (failure instanceof StoreException.Unavailable) {
        return pauseMs;
      }
      int more = Math.max(0, Math.min(MORE_DOUBLINGS, inARow - DOUBLINGS));
      return Math.max(pauseMs, Math.min(chore.failurePauseMaxMs(), pauseMs << more));
    }

    /**
     * Of failures in a row every one is counted and few are told; none of a store that was not even
     * asked, for that it is away is told once for all partitions.
     */
    private void tell(Throwable failure, int failedInARow) {
      failed.increment();
      boolean known = failure instanceof StoreException.Unavailable away && away.unasked();
      Level level = Integer.bitCount(failedInARow) <= 1 && !known ? Level.WARN : Level.DEBUG;
      LOG.atLevel(level)
          .addKeyValue("partition", partition)
          .addKeyValue("chore", chore.name())
          .addKeyValue("count", failedInARow)
          .addKeyValue("reason", failure.toString())
          .log("a chore of the tier did not get on");
    }
  }
}

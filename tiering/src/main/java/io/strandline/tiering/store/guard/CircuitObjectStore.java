package io.strandline.tiering.store.guard;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable.Why;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A store that is not asked while it is known to be away, but for one call now and then that finds
 * out whether it is back: an outage met by a thousand partitions costs as few requests as one met
 * by one. Reads and writes each for themselves, for a store may be full or read-only.
 *
 * <p>Metric: {@code strandline.store.away} by {@code lane}, 1 while it is.
 */
public final class CircuitObjectStore extends DecoratedObjectStore {
  private static final Logger LOG = LoggerFactory.getLogger(CircuitObjectStore.class);

  /** Told of what happens to the store; must not block. */
  public interface Listener {
    /** A call would be let through now. */
    void trialDue();

    /** The store answers again. */
    void cameBack();
  }

  private final ScheduledExecutorService scheduler;
  private final LongSupplier nanoTicker;
  private final CircuitLane reads;
  private final CircuitLane writes;
  private volatile @Nullable Listener listener;

  public CircuitObjectStore(
      ObjectStore inner,
      Circuit rule,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTicker,
      MeterRegistry meters) {
    super(inner);
    this.scheduler = scheduler;
    this.nanoTicker = nanoTicker;
    this.reads = lane("reads", rule, meters);
    this.writes = lane("writes", rule, meters);
  }

  private static CircuitLane lane(String name, Circuit rule, MeterRegistry meters) {
    CircuitLane lane = new CircuitLane(rule);
    Gauge.builder("strandline.store.away", lane, l -> l.why() == null ? 0 : 1)
        .tag("lane", name)
        .register(meters);
    return lane;
  }

  /** Tells this one, and no other, from now on. */
  public void listen(Listener to) {
    listener = to;
  }

  /** Why the store is away, for an operator; empty while it answers. */
  public String trouble() {
    Why read = reads.why();
    Why write = writes.why();
    if (write == null) {
      return read == null ? "" : "reads fail: " + read.label();
    }
    return (read == null ? "writes" : "reads and writes") + " fail: " + write.label();
  }

  /** Null if such a call may go on to here; else why it need not. */
  @Nullable StoreException closedTo(StoreCall.Operation operation) {
    return lane(operation).refusalUnlessDue(nanoTicker.getAsLong());
  }

  /** Whether the store is known to be away to calls like this. */
  boolean isAway(StoreCall call) {
    return lane(call.operation()).why() != null;
  }

  private CircuitLane lane(StoreCall.Operation operation) {
    return operation.writes() ? writes : reads;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    CircuitLane lane = lane(call.operation());
    StoreException refusal = lane.refusal(nanoTicker.getAsLong());
    if (refusal != null) {
      return CompletableFuture.failedFuture(refusal);
    }
    CompletableFuture<T> inner = action.get();
    CompletableFuture<T> unused = inner.whenComplete((value, thrown) -> learn(call, lane, thrown));
    return linked(inner);
  }

  private void learn(StoreCall call, CircuitLane lane, @Nullable Throwable thrown) {
    if (thrown instanceof CancellationException) {
      return;
    }
    StoreException failure = thrown == null ? null : StoreException.of(thrown);
    boolean away =
        failure instanceof StoreException.Unavailable || failure instanceof StoreException.Refused;
    CircuitLane.Change change =
        away && failure != null ? lane.failed(failure, nanoTicker.getAsLong()) : lane.answered();
    if (change == CircuitLane.Change.WENT_AWAY) {
      LOG.atWarn()
          .addKeyValue("store", describe())
          .addKeyValue("reason", String.valueOf(failure))
          .log(
              "the object store is away: {} are held back but for a trial now and then",
              call.operation().writes() ? "writes" : "reads");
    } else if (change == CircuitLane.Change.CAME_BACK) {
      LOG.atInfo()
          .addKeyValue("store", describe())
          .log("the object store takes {} again", call.operation().writes() ? "writes" : "reads");
      Listener told = listener;
      if (told != null) {
        told.cameBack();
      }
    }
    if (away) {
      announceTrial(lane);
    }
  }

  private void announceTrial(CircuitLane lane) {
    long inMs = lane.trialInMs(nanoTicker.getAsLong());
    Listener told = listener;
    if (inMs > 0 && told != null) {
      try {
        ScheduledFuture<?> unused = scheduler.schedule(told::trialDue, inMs, TimeUnit.MILLISECONDS);
      } catch (RejectedExecutionException closing) {
        LOG.atDebug().log("closing: nobody tries the store any more");
      }
    }
  }
}

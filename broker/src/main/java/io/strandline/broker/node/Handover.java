package io.strandline.broker.node;

import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The wait of a node that stops for the controller to move what it leads, and to let it go. As long
 * as Apache Kafka's broker waits, since thousands of partitions, or a broker that is behind with
 * the metadata, take their time; but where no controller answers there is nobody to wait for, and
 * {@link #hurry} ends it at once.
 */
public final class Handover {
  private static final Logger LOG = LoggerFactory.getLogger(Handover.class);

  /** At most. */
  static final Duration LIMIT = Duration.ofMinutes(5);

  /** Without a word of a controller's: an election of one takes seconds. */
  static final Duration SILENCE = Duration.ofSeconds(30);

  private static final long LOOK_MS = 100;

  private final LongSupplier nanos;
  private final LongSupplier silentMs;
  private final CompletableFuture<Void> hurried = new CompletableFuture<>();

  /**
   * @param silentMs for how long no controller has answered
   */
  public Handover(LongSupplier nanos, LongSupplier silentMs) {
    this.nanos = nanos;
    this.silentMs = silentMs;
  }

  /** Whoever asked for the stop does not want to wait: what is under way, or to come, ends now. */
  public void hurry() {
    hurried.complete(null);
  }

  /**
   * Waits; says why if it ends in vain. Interrupted, it returns with the thread's mark of it.
   *
   * @param released completes when the controller lets the node go
   */
  public void await(CompletableFuture<Void> released) {
    LOG.atInfo().log("hands its leadership over");
    long begun = nanos.getAsLong();
    try {
      while (!over(released)) {
        long waitedMs = TimeUnit.NANOSECONDS.toMillis(nanos.getAsLong() - begun);
        if (hurried.isDone()) {
          LOG.atWarn().addKeyValue("ms", waitedMs).log("asked again to stop, and stops as it is");
          return;
        }
        long aloneMs = Math.min(waitedMs, silentMs.getAsLong());
        if (waitedMs >= LIMIT.toMillis() || aloneMs >= SILENCE.toMillis()) {
          LOG.atWarn()
              .addKeyValue("ms", waitedMs)
              .log("the controller did not let this node go, stopping anyway");
          return;
        }
      }
    } catch (ExecutionException e) {
      LOG.atWarn().setCause(e).log("the controller did not let this node go, stopping anyway");
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
  }

  private boolean over(CompletableFuture<Void> released)
      throws ExecutionException, InterruptedException {
    try {
      CompletableFuture.anyOf(released, hurried).get(LOOK_MS, TimeUnit.MILLISECONDS);
    } catch (TimeoutException goesOn) {
      return false;
    }
    return released.isDone();
  }
}

package io.strandline.tiering.store.guard;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.Timer;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * A store that counts what it is asked. Placed next to the store, it counts requests, tries
 * included, for requests are what is paid for (a put in parts counts once here).
 *
 * <p>Metrics: timer {@code strandline.store.requests} by {@code operation} and {@code outcome};
 * counter {@code strandline.store.bytes} by {@code operation}, of requests that succeeded.
 */
public final class MeteredObjectStore extends DecoratedObjectStore {
  private final MeterRegistry meters;
  private final LongSupplier nanoTicker;

  public MeteredObjectStore(ObjectStore inner, MeterRegistry meters, LongSupplier nanoTicker) {
    super(inner);
    this.meters = meters;
    this.nanoTicker = nanoTicker;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    long beganNanos = nanoTicker.getAsLong();
    CompletableFuture<T> inner = action.get();
    CompletableFuture<T> unused =
        inner.whenComplete(
            (value, thrown) -> {
              timer(call, thrown).record(nanoTicker.getAsLong() - beganNanos, TimeUnit.NANOSECONDS);
              if (thrown == null) {
                bytes(call).increment(moved(call, value));
              }
            });
    return linked(inner);
  }

  private static double moved(StoreCall call, @Nullable Object value) {
    return value instanceof ByteBuffer read ? read.remaining() : (double) call.bytes();
  }

  private Timer timer(StoreCall call, @Nullable Throwable thrown) {
    return Timer.builder("strandline.store.requests")
        .description("Requests to the object store")
        .tag("operation", call.operation().label())
        .tag("outcome", outcome(thrown))
        .register(meters);
  }

  private Counter bytes(StoreCall call) {
    return Counter.builder("strandline.store.bytes")
        .description("Bytes moved to or from the object store")
        .baseUnit("bytes")
        .tag("operation", call.operation().label())
        .register(meters);
  }

  private static String outcome(@Nullable Throwable thrown) {
    if (thrown == null) {
      return "ok";
    }
    if (thrown instanceof CancellationException) {
      return "cancelled";
    }
    StoreException known = StoreException.of(thrown);
    if (known instanceof StoreException.NotFound) {
      return "not-found";
    } else if (known instanceof StoreException.PreconditionFailed) {
      return "precondition-failed";
    } else if (known instanceof StoreException.OutOfRange) {
      return "out-of-range";
    } else if (known instanceof StoreException.Refused) {
      return "refused";
    }
    return "unavailable";
  }
}

package io.strandline.tiering.store.guard;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * A store that moves no more bytes a second in either direction than it is allowed; what is more
 * waits, before it takes a place in anybody's budget and before its deadline begins.
 *
 * <p>A ranged read and a put of more than {@value #SMALL_BYTES} bytes is large: it waits its turn,
 * and folders of keys, so partitions, take turns. All else is small: manifests, indexes, whole
 * objects; it is counted, but goes before what is large.
 *
 * <p>Metrics: {@code strandline.store.rate.waiting} by {@code lane}.
 */
public final class RateLimitedObjectStore extends DecoratedObjectStore {
  /** As long as a manifest's index page or a segment's indexes usually are, and longer. */
  static final int SMALL_BYTES = 256 << 10;

  private final RateLane uploads;
  private final RateLane downloads;

  /**
   * @param scheduler its clock is {@code nanoTicker}
   */
  public RateLimitedObjectStore(
      ObjectStore inner,
      Rates rates,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTicker,
      MeterRegistry meters) {
    super(inner);
    this.uploads = lane("writes", rates.uploads(), scheduler, nanoTicker, meters);
    this.downloads = lane("reads", rates.downloads(), scheduler, nanoTicker, meters);
  }

  private static RateLane lane(
      String name,
      LongSupplier rate,
      ScheduledExecutorService scheduler,
      LongSupplier nanoTicker,
      MeterRegistry meters) {
    RateLane lane = new RateLane(rate, scheduler, nanoTicker);
    Gauge.builder("strandline.store.rate.waiting", lane, RateLane::waiting)
        .description("Calls that wait for the limit on bytes a second")
        .tag("lane", name)
        .register(meters);
    return lane;
  }

  /** What a whole object brings is known when it is there: its limit says little. */
  @Override
  public CompletableFuture<ByteBuffer> get(ObjectKey key, int limitBytes) {
    if (downloads.unlimited()) {
      return super.get(key, limitBytes);
    }
    CompletableFuture<ByteBuffer> outer = new CompletableFuture<>();
    downloads.enterSmall(0, outer, () -> begin(() -> within().get(key, limitBytes), outer));
    CompletableFuture<?> unused =
        outer.whenComplete(
            (bytes, thrown) -> downloads.moved(bytes == null ? 0 : bytes.remaining()));
    return outer;
  }

  @Override
  protected <T> CompletableFuture<T> around(StoreCall call, Supplier<CompletableFuture<T>> action) {
    RateLane lane = call.operation().writes() ? uploads : downloads;
    if (call.bytes() == 0 || lane.unlimited()) {
      return action.get();
    }
    CompletableFuture<T> outer = new CompletableFuture<>();
    Runnable start = () -> begin(action, outer);
    if (call.bytes() > SMALL_BYTES) {
      lane.enterLarge(folder(call.subject()), call.bytes(), outer, start);
    } else {
      lane.enterSmall(call.bytes(), outer, start);
    }
    return outer;
  }

  private static <T> void begin(Supplier<CompletableFuture<T>> action, CompletableFuture<T> outer) {
    try {
      link(action.get(), outer);
    } catch (RuntimeException e) {
      outer.completeExceptionally(e);
    }
  }

  private static String folder(String key) {
    return key.substring(0, key.lastIndexOf('/') + 1);
  }
}

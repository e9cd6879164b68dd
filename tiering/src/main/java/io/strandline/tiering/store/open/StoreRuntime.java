package io.strandline.tiering.store.open;

import io.micrometer.core.instrument.MeterRegistry;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.LongSupplier;
import java.util.random.RandomGenerator;

/**
 * What a store runs on; all of it outlives the store.
 *
 * @param blocking reads and writes files, completes the futures of S3 and begins tries after the
 *     first: a pool of its own, whose size is the parallelism of a file store
 * @param scheduler for deadlines and retries: its tasks are short
 */
public record StoreRuntime(
    Time time,
    RandomGenerator random,
    Executor blocking,
    ScheduledExecutorService scheduler,
    MeterRegistry meters) {
  /** The time of day, and a steady count of nanoseconds. */
  public record Time(InstantSource clock, LongSupplier nanoTicker) {}
}

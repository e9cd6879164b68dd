package io.strandline.replay.fetch;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.cache.ChunkCache;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.store.ObjectStore;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * What fetching stands on.
 *
 * @param executor for checks and copies of a few MiB; never blocked
 * @param nanoTicker monotonic, as {@link System#nanoTime}
 */
public record FetchEnvironment(
    ObjectStore store,
    Manifests manifests,
    ChunkCache cache,
    Executor executor,
    LongSupplier nanoTicker,
    MeterRegistry metrics) {}

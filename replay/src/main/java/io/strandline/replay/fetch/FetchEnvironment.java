package io.strandline.replay.fetch;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.cache.ChunkCache;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.store.OwnedStores;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;

/**
 * What fetching stands on.
 *
 * @param stores where the objects lie that the manifests name
 * @param executor for checks and copies of a few MiB; never blocked
 * @param nanoTicker monotonic, as {@link System#nanoTime}
 */
public record FetchEnvironment(
    OwnedStores stores,
    Manifests manifests,
    ChunkCache cache,
    Executor executor,
    LongSupplier nanoTicker,
    MeterRegistry metrics) {}

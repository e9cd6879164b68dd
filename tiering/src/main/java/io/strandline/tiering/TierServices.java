package io.strandline.tiering;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import io.strandline.tiering.upload.Uploader;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.ScheduledExecutorService;
import java.util.random.RandomGenerator;

/**
 * What the pipeline works with; all of it belongs to the caller, who closes it after the pipeline.
 *
 * @param cluster id under whose prefix the store lies
 * @param stores where the objects lie that manifests name; gives {@code store} for this cluster's
 * @param disk where steps run that may block on local files
 * @param workbench where segments are compacted and merged
 * @param timer wakes the pipeline; a simulation gives its own or calls {@link TierPipeline#doWork}
 * @param recompressor makes segments of some topics shorter before they go up
 * @param random names objects and spreads retries: no two processes may draw the same numbers
 */
public record TierServices(
    String cluster,
    ObjectStore store,
    OwnedStores stores,
    Manifests manifests,
    UploadIntents intents,
    Deletions deletions,
    Executor disk,
    Workbench workbench,
    ScheduledExecutorService timer,
    InstantSource clock,
    RandomGenerator random,
    Recompressor recompressor,
    MeterRegistry metrics) {
  Uploader.Services forUploads() {
    return new Uploader.Services(store, intents, disk, clock, random, recompressor, metrics);
  }
}

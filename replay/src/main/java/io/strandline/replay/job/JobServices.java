package io.strandline.replay.job;

import io.strandline.replay.Replay;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.segment.BatchBounds;
import java.time.InstantSource;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.LongSupplier;

/**
 * What jobs work with.
 *
 * @param readers counts jobs, so that each has streams of its own
 * @param waits by which whatever else is asked here is waited for
 * @param workers a thread for each partition read at once; may be blocked
 * @param unavailableMs patience with a store that does not answer
 * @param bounds what a batch may decode to
 */
record JobServices(
    Replay replay,
    Manifests manifests,
    AtomicLong readers,
    Waits waits,
    Executor workers,
    InstantSource clock,
    LongSupplier nanoTicker,
    Pacer.Pause pause,
    long unavailableMs,
    BatchBounds bounds) {}

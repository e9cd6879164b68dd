package io.strandline.tiering.upkeep;

import io.strandline.tiering.reclaim.LocalSegments;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.seal.SegmentSource;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * The partition that chores look after, and what all of them work with.
 *
 * @param source sealed segments of the hot log
 * @param policy of the topic as it is configured now
 * @param disk where steps run that may block on local files
 */
public record Upkept(
    SegmentSource source,
    LocalSegments local,
    Supplier<TierPolicy> policy,
    Executor disk,
    LongSupplier clockMs) {}

package io.strandline.tiering;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.core.instrument.TimeGauge;
import java.util.concurrent.TimeUnit;

/** What an operator sees of the pipeline. */
final class TierMetrics {
  final Counter commits;
  final Counter failures;
  final Counter fenced;
  final Counter releasedBytes;
  final Counter forgottenSegments;
  final Counter orphans;

  TierMetrics(MeterRegistry registry) {
    commits = registry.counter("strandline.tiering.commits");
    failures = registry.counter("strandline.tiering.failures");
    fenced = registry.counter("strandline.tiering.fenced");
    releasedBytes = registry.counter("strandline.tiering.released.bytes");
    forgottenSegments = registry.counter("strandline.tiering.deleted.segments");
    orphans = registry.counter("strandline.tiering.deleted.orphans");
  }

  /** Gauges over what the pipeline knows at the time they are read. */
  static void watch(MeterRegistry registry, TierPipeline pipeline) {
    registry.gauge("strandline.tiering.partitions", pipeline, p -> (double) p.partitionCount());
    Gauge.builder("strandline.tiering.lag", pipeline, TierPipeline::lagBytes)
        .baseUnit("bytes")
        .register(registry);
    Gauge.builder("strandline.tiering.few", pipeline, TierPipeline::fewBytes)
        .baseUnit("bytes")
        .register(registry);
    for (TierTrouble trouble : TierTrouble.values()) {
      Gauge.builder("strandline.tiering.lag.cause", pipeline, p -> (double) p.lagBytes(trouble))
          .tag("cause", trouble.label())
          .baseUnit("bytes")
          .register(registry);
    }
    TimeGauge.builder(
            "strandline.tiering.lag.age", pipeline, TimeUnit.MILLISECONDS, TierPipeline::lagAgeMs)
        .register(registry);
    registry.gauge("strandline.compaction.dirty.ratio", pipeline, TierPipeline::dirtyRatioMax);
    registry.gauge("strandline.mount.copying", pipeline, p -> (double) p.copyingCount());
    registry.gauge("strandline.tiering.failing", pipeline, p -> (double) p.failingCount());
  }
}

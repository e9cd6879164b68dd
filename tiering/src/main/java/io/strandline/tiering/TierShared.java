package io.strandline.tiering;

import io.strandline.tiering.reclaim.OrphanSweep;
import io.strandline.tiering.reclaim.RetiredObjects;
import io.strandline.tiering.rewrite.Rewriting;
import io.strandline.tiering.upkeep.ChoreRound;
import io.strandline.tiering.upload.Uploader;

/** What all partitions of a pipeline use together. */
record TierShared(
    TierConfig config,
    TierServices services,
    Uploader uploader,
    RetiredObjects retired,
    OrphanSweep orphans,
    IntentRule intents,
    Rewriting rewriting,
    ProgressBoard board,
    TierMetrics metrics) {
  static TierShared of(TierConfig config, TierServices services) {
    Uploader uploader = new Uploader(services.cluster(), config.upload(), services.forUploads());
    return new TierShared(
        config,
        services,
        uploader,
        new RetiredObjects(services.cluster(), services.store()),
        new OrphanSweep(
            services.store(), services.manifests(), services.random(), config.graceMs()),
        new IntentRule(uploader, config.graceMs()),
        new Rewriting(
            config.rewrite(),
            new Rewriting.Services(
                services.store(),
                uploader,
                services.workbench(),
                services.clock()::millis,
                services.metrics())),
        new ProgressBoard(),
        new TierMetrics(services.metrics()));
  }

  long nowMs() {
    return services.clock().millis();
  }

  /** Anything from 0 to {@code max}. */
  long chance(long max) {
    synchronized (services.random()) {
      return services.random().nextLong(max + 1);
    }
  }

  ChoreRound.Pace pace() {
    return new ChoreRound.Pace(this::nowMs, this::backoffMs, services.metrics());
  }

  /** Doubled for each failure in a row, the second half of it by chance. */
  long backoffMs(int failures) {
    long full =
        Math.min(config.backoffMaxMs(), config.backoffMinMs() << Math.min(20, failures - 1));
    return full / 2 + chance(full / 2);
  }
}

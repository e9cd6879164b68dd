package io.strandline.tiering;

import io.strandline.tiering.reclaim.RetiredObjects;
import io.strandline.tiering.upload.Uploader;

/** What all partitions of a pipeline use together. */
record TierShared(
    TierConfig config,
    TierServices services,
    Uploader uploader,
    RetiredObjects retired,
    IntentRule intents,
    ProgressBoard board,
    TierMetrics metrics) {
  static TierShared of(TierConfig config, TierServices services) {
    Uploader uploader = new Uploader(services.cluster(), config.upload(), services.forUploads());
    return new TierShared(
        config,
        services,
        uploader,
        new RetiredObjects(services.store()),
        new IntentRule(uploader, config.graceMs()),
        new ProgressBoard(),
        new TierMetrics(services.metrics()));
  }

  long nowMs() {
    return services.clock().millis();
  }

  /** Doubled for each failure in a row, the second half of it by chance. */
  long backoffMs(int failures) {
    long full =
        Math.min(config.backoffMaxMs(), config.backoffMinMs() << Math.min(20, failures - 1));
    synchronized (services.random()) {
      return full / 2 + services.random().nextLong(full / 2 + 1);
    }
  }
}

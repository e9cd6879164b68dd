package io.strandline.tiering;

import io.strandline.tiering.reclaim.RetiredObjects;
import io.strandline.tiering.rewrite.Rewriting;
import io.strandline.tiering.scrub.FullScrub;
import io.strandline.tiering.scrub.PartitionScrub;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.scrub.ScrubLedger;
import io.strandline.tiering.scrub.ScrubTurns;
import io.strandline.tiering.upkeep.ChoreRound;
import io.strandline.tiering.upkeep.ForwardClock;
import io.strandline.tiering.upkeep.OpeningPace;
import io.strandline.tiering.upload.Uploader;

/** What all partitions of a pipeline use together. */
record TierShared(
    TierConfig config,
    TierServices services,
    Uploader uploader,
    RetiredObjects retired,
    Scrubs scrubs,
    IntentRule intents,
    Rewriting rewriting,
    ProgressBoard board,
    OpeningPace openings,
    ForwardClock steady,
    TierMetrics metrics) {
  static TierShared of(TierConfig config, TierServices services) {
    Uploader uploader = new Uploader(services.cluster(), config.upload(), services.forUploads());
    return new TierShared(
        config,
        services,
        uploader,
        new RetiredObjects(services.cluster(), services.store()),
        Scrubs.of(config.scrub(), services),
        new IntentRule(uploader, config.graceMs()),
        new Rewriting(
            config.rewrite(),
            new Rewriting.Services(
                services.store(),
                services.stores(),
                uploader,
                services.workbench(),
                services.clock()::millis,
                services.metrics())),
        new ProgressBoard(),
        new OpeningPace(),
        new ForwardClock(services.clock()::millis),
        new TierMetrics(services.metrics()));
  }

  /** What checks the tier. */
  record Scrubs(PartitionScrub lists, FullScrub reads, ScrubTurns turns, ScrubLedger ledger) {
    private static Scrubs of(ScrubConfig config, TierServices services) {
      ScrubTurns turns = new ScrubTurns(services.timer());
      ScrubLedger ledger = new ScrubLedger(services.metrics());
      return new Scrubs(
          new PartitionScrub(
              services.cluster(),
              services.store(),
              services.manifests(),
              services.random(),
              config),
          new FullScrub(
              new FullScrub.Environment(
                  services.stores(),
                  services.manifests(),
                  turns,
                  ledger,
                  services.disk(),
                  services.clock()::millis),
              config),
          turns,
          ledger);
    }
  }

  /** For what is compared with timestamps, and with what outlives the process. */
  long nowMs() {
    return services.clock().millis();
  }

  /** For what is put off. */
  long steadyMs() {
    return steady.millis();
  }

  /** Anything from 0 to {@code max}. */
  long chance(long max) {
    synchronized (services.random()) {
      return services.random().nextLong(max + 1);
    }
  }

  ChoreRound.Pace pace() {
    return new ChoreRound.Pace(this::steadyMs, this::backoffMs, services.metrics());
  }

  /** Doubled for each failure in a row, the second half of it by chance. */
  long backoffMs(int failures) {
    long full =
        Math.min(config.backoffMaxMs(), config.backoffMinMs() << Math.min(20, failures - 1));
    return full / 2 + chance(full / 2);
  }
}

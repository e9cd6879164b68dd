package io.strandline.tests.fault;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.scrub.AuditFinding;
import io.strandline.tiering.scrub.TierAudit;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;

/** What an audit finds in a store, where even the youngest unnamed object counts. */
final class Audit {
  private Audit() {}

  record Result(TierAudit.Summary summary, List<AuditFinding> findings) {}

  static Result of(String storeUri) {
    ExecutorService threads = Executors.newFixedThreadPool(4);
    ScheduledExecutorService timer = Executors.newScheduledThreadPool(1);
    InstantSource clock = InstantSource.system();
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    StoreRuntime runtime =
        new StoreRuntime(
            new StoreRuntime.Time(clock, System::nanoTime), new Random(), threads, timer, meters);
    ExecutorService auditors = Executors.newFixedThreadPool(4);
    try (ObjectStore store = Stores.open(storeUri, StoreConfig.defaults(), runtime)) {
      StoreManifests manifests =
          StoreManifests.open(
              store,
              ManifestConfig.defaults(),
              new StoreManifests.Environment(clock, new Random(), threads, meters));
      TierAudit.Config config = new TierAudit.Config(4, 4 << 20, 0);
      List<AuditFinding> findings = new ArrayList<>();
      TierAudit.Summary summary =
          new TierAudit(TierAudit.Tier.of(store, manifests), config, auditors, clock)
              .run(into(findings));
      return new Result(summary, List.copyOf(findings));
    } finally {
      auditors.shutdown();
      threads.shutdown();
      timer.shutdownNow();
    }
  }

  private static TierAudit.Watcher into(List<AuditFinding> findings) {
    return new TierAudit.Watcher() {
      @Override
      public void partition(ManifestView view) {}

      @Override
      public void read(long bytes) {}

      @Override
      public void found(AuditFinding finding) {
        findings.add(finding);
      }
    };
  }
}

package io.strandline.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.contender.Strandline;
import io.strandline.bench.isolation.FarSideProcess;
import io.strandline.bench.load.History;
import io.strandline.bench.load.HotClients;
import io.strandline.bench.load.Load;
import io.strandline.bench.load.Outcome;
import io.strandline.bench.load.Workload;
import io.strandline.bench.load.Workloads;
import io.strandline.bench.meter.Allocation;
import io.strandline.bench.meter.ProcessUse;
import io.strandline.bench.objects.ObjectServer;
import io.strandline.bench.replay.ReplayStudy;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The instrument itself, on a broker of ours and with next to no data. No figure is judged. */
@Timeout(120)
class EveryWorkloadRunsTest {
  private static final Load.Size TINY = new Load.Size(400_000, 0.2);
  private static final Load.Size SEGMENTS = new Load.Size(24_000_000, 60);

  private final Contender contender = new Strandline("", "256m");

  @TempDir Path dir;

  @Test
  void everyWorkloadMovesBytesAndIsMetered() throws Exception {
    try (RunningBroker broker = contender.start(dir.resolve("broker"), Map.of());
        Allocation allocation = Allocation.of(broker.pid())) {
      assertThat(broker.readySeconds()).isPositive();
      for (Workload workload : Workloads.all()) {
        try (Load load = workload.on(broker)) {
          long allocated = allocation.bytes();
          load.prepare(TINY);
          Outcome outcome = load.run();
          assertThat(outcome.bytes()).as(workload.name()).isPositive();
          assertThat(outcome.requests()).as(workload.name()).isPositive();
          assertThat(allocation.bytes()).as(workload.name()).isGreaterThan(allocated);
        }
      }
      assertThat(ProcessUse.of(broker.pid()).cpuSeconds()).isPositive();
      assertThat(ProcessUse.of(broker.pid()).residentBytes()).isGreaterThan(10 << 20);
    }
  }

  @Test
  void historyIsReadFromTheStoreAndByTheBareClient() throws Exception {
    try (ObjectServer store = ObjectServer.start(dir.resolve("objects"));
        RunningBroker broker =
            contender.start(
                dir.resolve("broker"),
                Map.of(
                    "strandline.object.store", store.uri(),
                    "strandline.cache.disk.bytes", "0",
                    "strandline.tier.upload.min.bytes", "0",
                    "log.retention.check.interval.ms", "100"));
        History history = History.write(broker.bootstrap(), SEGMENTS);
        ReplayStudy study = new ReplayStudy(store, broker, history, 1 << 20)) {
      ReplayStudy.Reading replay = study.replay();
      ReplayStudy.Reading bare = study.bare();
      assertThat(replay.storeBytes()).isGreaterThan(SEGMENTS.bytes() / 2);
      assertThat(replay.readBytes()).isGreaterThan(SEGMENTS.bytes() / 2);
      assertThat(bare.readBytes()).isGreaterThanOrEqualTo(replay.readBytes());
      assertThat(bare.storeBytes()).isGreaterThanOrEqualTo(bare.readBytes());
    }
  }

  @Test
  void hotClientsSeeTheirRecordsBesideAReplay() throws Exception {
    try (FarSideProcess far = FarSideProcess.start(dir.resolve("far"));
        RunningBroker broker =
            contender.start(
                dir.resolve("broker"),
                Map.of(
                    "strandline.object.store", far.uri(),
                    "strandline.cache.disk.bytes", "0",
                    "strandline.tier.upload.min.bytes", "0",
                    "log.retention.check.interval.ms", "100"))) {
      far.write(broker.bootstrap(), SEGMENTS.bytes());
      try (HotClients hot = new HotClients(broker, 500)) {
        long replayed = 0;
        while (replayed == 0) { // it gives way to all others, which may be many here
          far.begin(1e9);
          HotClients.Seen seen = hot.measure(0.3);
          replayed = far.end();
          assertThat(seen.produced().millis(0.99)).isPositive();
          assertThat(seen.consumed().millis(0.5)).isPositive();
        }
      }
      far.leave();
    }
  }
}

package io.strandline.bench;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.isolation.FarSideProcess;
import io.strandline.bench.load.HotClients;
import io.strandline.bench.load.HotClients.Seen;
import io.strandline.bench.meter.ProcessUse;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * What clients at the end of a log notice of a replay at half of its measured maximum: pairs of
 * spans with and without it, and who goes first alternates.
 */
record Isolations(Options options, Figures figures, Profiles profiles) {
  static final String NAME = "isolation";

  private static final String WITH = "Strandline";
  private static final String WITHOUT = "without the replay";
  private static final int RECORDS_PER_SECOND = 2000;
  private static final double SPAN_SECONDS = 6;
  private static final double SETTLE_SECONDS = 1;
  private static final double MAXIMUM_SECONDS = 6;
  private static final long BYTES_MIN = 1_500_000_000;

  void run(Contender contender, Path dir) throws Exception {
    try (FarSideProcess far = FarSideProcess.start(dir.resolve("far"));
        RunningBroker broker =
            contender.start(
                dir.resolve("isolation"),
                Map.of(
                    "strandline.object.store",
                    far.uri(),
                    "strandline.cache.disk.bytes",
                    "0",
                    "log.retention.check.interval.ms",
                    "500"))) {
      far.write(broker.bootstrap(), Math.max(BYTES_MIN, options.size().bytes()));
      try (HotClients hot = new HotClients(broker, RECORDS_PER_SECOND)) {
        pairs(far, broker, hot);
      }
      far.leave();
    }
  }

  private void pairs(FarSideProcess far, RunningBroker broker, HotClients hot) throws Exception {
    for (int run = 0; run < options.warmUps(); run++) {
      double unused = far.rate(MAXIMUM_SECONDS);
      hot.measure(SPAN_SECONDS / 2);
    }
    double maximum = far.rate(MAXIMUM_SECONDS);
    figures.note(NAME + ", the replay's maximum, MB/s", WITH, maximum / 1e6);
    profiles.begin(broker);
    for (int run = 0; run < options.runs(); run++) {
      if (run % 2 == 0) {
        without(hot);
        with(far, broker, hot, maximum / 2);
      } else {
        with(far, broker, hot, maximum / 2);
        without(hot);
      }
    }
    profiles.end(broker, NAME);
  }

  private void without(HotClients hot) throws Exception {
    TimeUnit.MILLISECONDS.sleep((long) (SETTLE_SECONDS * 1000));
    note(WITHOUT, hot.measure(SPAN_SECONDS));
  }

  private void with(FarSideProcess far, RunningBroker broker, HotClients hot, double rate)
      throws Exception {
    far.begin(rate);
    double cpu = ProcessUse.of(broker.pid()).cpuSeconds();
    double farCpu = ProcessUse.of(far.pid()).cpuSeconds();
    long begun = System.nanoTime();
    TimeUnit.MILLISECONDS.sleep((long) (SETTLE_SECONDS * 1000));
    Seen seen = hot.measure(SPAN_SECONDS);
    long bytes = far.end();
    double seconds = (System.nanoTime() - begun) / 1e9;
    note(WITH, seen);
    ProcessUse now = ProcessUse.of(broker.pid());
    figures.note(NAME + ", replayed beside, MB/s", WITH, bytes / seconds / 1e6);
    figures.note(NAME + ", broker cores", WITH, (now.cpuSeconds() - cpu) / seconds);
    figures.note(
        NAME + ", store and consumers, cores",
        WITH,
        (ProcessUse.of(far.pid()).cpuSeconds() - farCpu) / seconds);
    figures.note(NAME + ", broker resident, MiB", WITH, now.residentBytes() / (double) (1 << 20));
  }

  private void note(String who, Seen seen) throws IOException {
    figures.note(NAME + ", produce p50 ms", who, seen.produced().millis(0.5));
    figures.note(NAME + ", produce p99 ms", who, seen.produced().millis(0.99));
    figures.note(NAME + ", consume p50 ms", who, seen.consumed().millis(0.5));
    figures.note(NAME + ", consume p99 ms", who, seen.consumed().millis(0.99));
  }
}

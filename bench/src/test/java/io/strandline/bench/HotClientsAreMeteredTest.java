package io.strandline.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.contender.Strandline;
import io.strandline.bench.isolation.FarSideProcess;
import io.strandline.bench.load.HotClients;
import io.strandline.bench.load.Load;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The instrument of what a replay costs hot clients, on a broker of ours. No figure is judged. */
@Timeout(120)
class HotClientsAreMeteredTest {
  private static final Load.Size SEGMENTS = new Load.Size(24_000_000, 60);

  private final Contender contender = new Strandline("", "256m");

  @TempDir Path dir;

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

package io.strandline.bench;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.bench.contender.Certificate;
import io.strandline.bench.contender.Contender;
import io.strandline.bench.contender.Doors;
import io.strandline.bench.contender.RunningBroker;
import io.strandline.bench.contender.Strandline;
import io.strandline.bench.load.Load;
import io.strandline.bench.load.Outcome;
import io.strandline.bench.load.Workload;
import io.strandline.bench.load.Workloads;
import io.strandline.bench.meter.Allocation;
import io.strandline.bench.meter.ProcessUse;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** The instrument itself, on a broker of ours and with next to no data. No figure is judged. */
@Timeout(120)
class EveryWorkloadRunsTest {
  private static final Load.Size TINY = new Load.Size(400_000, 0.2);

  private final Contender contender = new Strandline("", "256m");

  @TempDir Path dir;

  @Test
  void everyWorkloadMovesBytesAndIsMetered() throws Exception {
    Doors doors = Doors.open(Optional.of(Certificate.make(dir.resolve("certificate"))));
    try (RunningBroker broker = contender.start(dir.resolve("broker"), Map.of(), doors);
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
}

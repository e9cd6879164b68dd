package io.strandline.tests.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.simulation.LogTierSimulation.Outcome;
import io.strandline.tests.simulation.LogTierSimulation.Shaking;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

/** Crash models: process (page cache kept) and power (what was not forced is lost or torn). */
class LogTierSimulationTest {
  private static final int SEEDS = 130;
  private static final int SAME = 6;

  /** Of which one in eight compacts something that is left in the end. */
  private static final int COMPACTING = 40;

  @Test
  void nothingAcknowledgedIsLostWhenProcessesDie() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, LogTierPlan.PROCESS));
  }

  @Test
  void nothingAcknowledgedIsLostInPowerCutsWhenEveryAppendIsFlushed() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, LogTierPlan.POWER_FLUSHED));
  }

  @Test
  void nothingAcknowledgedIsLostInPowerCutsOfOneReplicaAtATime() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, LogTierPlan.POWER_APART));
  }

  /**
   * What never happens proves nothing: compaction, outages, the loss of disks and objects, other
   * clusters.
   */
  @Test
  void someRunsCompactSomeAreRestoredAndSomeFindDamage() {
    AtomicInteger compacted = new AtomicInteger();
    AtomicInteger mounts = new AtomicInteger();
    AtomicInteger restored = new AtomicInteger();
    AtomicReference<Misfortunes.Met> all = new AtomicReference<>(Misfortunes.Met.NOTHING);
    Seeds.run(
        LogTierSimulationTest.class,
        COMPACTING,
        seed -> {
          Outcome outcome = run(seed, LogTierPlan.PROCESS);
          compacted.addAndGet(outcome.cleaned() > 0 ? 1 : 0);
          mounts.addAndGet(outcome.mountReads());
          restored.addAndGet(outcome.restoredElsewhere());
          all.accumulateAndGet(outcome.met(), Misfortunes.Met::plus);
        });
    Misfortunes.Met met = all.get();
    assertThat(compacted.get()).as("runs that compacted").isPositive();
    assertThat(mounts.get()).as("reads of a mount").isPositive();
    assertThat(restored.get()).as("restored elsewhere").isPositive();
    assertThat(
            List.of(
                met.disks(),
                met.refills(),
                met.restores(),
                met.damages(),
                met.told(),
                met.found(),
                met.outages()))
        .as("%s", met)
        .allMatch(count -> count > 0);
  }

  @Test
  void oneSeedIsOneRun() {
    Seeds.run(
        LogTierSimulationTest.class,
        SAME,
        seed -> {
          Outcome first = run(seed, LogTierPlan.POWER_APART);
          assertThat(run(seed, LogTierPlan.POWER_APART)).isEqualTo(first);
          assertThat(run(seed + 1, LogTierPlan.POWER_APART).trace()).isNotEqualTo(first.trace());
        });
  }

  @Test
  void aPowerCutOfAllWithoutFlushesIsNoticed() {
    LogTierPlan reckless = new LogTierPlan(CrashingDisk.Model.POWER, 2, 1, false, false);
    assertThatThrownBy(
            () -> Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, reckless)))
        .hasStackTraceContaining("AcknowledgedReadable");
  }

  private static Outcome run(long seed, LogTierPlan plan) {
    return ScratchDirectory.with(
        directory -> new LogTierSimulation(seed, plan, Shaking.RANDOM, directory).run());
  }
}

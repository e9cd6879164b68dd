package io.strandline.tests.simulation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.tests.simulation.LogTierSimulation.Outcome;
import io.strandline.tests.simulation.LogTierSimulation.Shaking;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Crash models: process (page cache kept) and power (what was not forced is lost or torn). */
class LogTierSimulationTest {
  private static final int SEEDS = 130;
  private static final int SAME = 6;

  /** Runs of which some compact something that is left in the end: one in eight does. */
  private static final int ENOUGH = 40;

  /**
   * What never happens proves nothing: compaction, outages, the loss of disks and objects, other
   * clusters.
   */
  @Test
  void nothingAcknowledgedIsLostWhenProcessesDie() {
    List<Outcome> all = Collections.synchronizedList(new ArrayList<>());
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> all.add(run(seed, LogTierPlan.PROCESS)));
    if (all.size() >= ENOUGH) {
      allHappened(all);
    }
  }

  @Test
  void nothingAcknowledgedIsLostInPowerCutsWhenEveryAppendIsFlushed() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, LogTierPlan.POWER_FLUSHED));
  }

  @Test
  void nothingAcknowledgedIsLostInPowerCutsOfOneReplicaAtATime() {
    Seeds.run(LogTierSimulationTest.class, SEEDS, seed -> run(seed, LogTierPlan.POWER_APART));
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
            () -> Seeds.usual(LogTierSimulationTest.class, SEEDS, seed -> run(seed, reckless)))
        .hasStackTraceContaining("AcknowledgedReadable");
  }

  private static void allHappened(List<Outcome> all) {
    Misfortunes.Met met =
        all.stream().map(Outcome::met).reduce(Misfortunes.Met.NOTHING, Misfortunes.Met::plus);
    assertThat(all).as("compacted").anyMatch(outcome -> outcome.cleaned() > 0);
    assertThat(all).as("read a mount").anyMatch(outcome -> outcome.mountReads() > 0);
    assertThat(all).as("restored elsewhere").anyMatch(outcome -> outcome.restoredElsewhere() > 0);
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

  private static Outcome run(long seed, LogTierPlan plan) {
    return ScratchDirectory.with(
        directory -> new LogTierSimulation(seed, plan, Shaking.RANDOM, directory).run());
  }
}

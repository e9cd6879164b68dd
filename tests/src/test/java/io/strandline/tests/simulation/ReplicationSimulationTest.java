package io.strandline.tests.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.simulation.ReplicationPlan.Kind;
import io.strandline.tests.simulation.ReplicationSimulation.Outcome;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;

/** Crash models: process (page cache kept) and power (what was not forced is lost or torn). */
class ReplicationSimulationTest {
  private static final int SEEDS = 334;
  private static final int SAME = 3;
  private static final long STORM_MS = 8_000;

  @Test
  void nothingAcknowledgedIsLostWhenProcessesDie() {
    runs(Kind.PROCESS);
  }

  @Test
  void nothingAcknowledgedIsLostInPowerCutsWhenEveryAppendIsFlushed() {
    runs(Kind.POWER_FLUSHED);
  }

  @Test
  void nothingAcknowledgedIsLostInPowerCutsOfOneReplicaAtATime() {
    runs(Kind.POWER_APART);
  }

  @Test
  void nothingAcknowledgedIsLostWithTheDisksOfOneReplicaAtATime() {
    runs(Kind.DISKS_APART);
  }

  /** What never happens proves nothing: where there are many runs, it is looked at what did. */
  private static void runs(Kind kind) {
    List<Outcome> all = Collections.synchronizedList(new ArrayList<>());
    Seeds.run(ReplicationSimulationTest.class, SEEDS, seed -> all.add(run(seed, kind)));
    if (all.size() < 100) {
      return;
    }
    List<Predicate<Outcome>> met =
        List.of(
            outcome -> outcome.acknowledged() > 100,
            outcome -> outcome.tierEnd() > 100,
            outcome -> outcome.epoch() > 5,
            outcome -> outcome.reassignments() > 0,
            outcome -> outcome.coldReads() > 0,
            outcome -> outcome.transactions() > 10 && outcome.aborted() > 1,
            outcome -> outcome.coldCommittedReads() > 0,
            outcome -> outcome.lost() > 0 && outcome.doubled() > 0);
    assertThat(met).allMatch(happened -> all.stream().filter(happened).count() > all.size() / 20);
    if (kind == Kind.DISKS_APART) {
      assertThat(all).filteredOn(outcome -> outcome.disks() > 0).hasSizeGreaterThan(all.size() / 2);
    }
  }

  @Test
  void oneSeedIsOneRun() {
    Seeds.run(
        ReplicationSimulationTest.class,
        SAME,
        seed -> {
          Outcome first = run(seed, Kind.POWER_APART);
          assertThat(run(seed, Kind.POWER_APART)).isEqualTo(first);
          assertThat(run(seed + 1, Kind.POWER_APART).trace()).isNotEqualTo(first.trace());
        });
  }

  private static Outcome run(long seed, Kind kind) {
    return ScratchDirectory.with(
        directory -> new ReplicationSimulation(seed, kind, STORM_MS, directory).run());
  }
}

package io.strandline.tests.simulation;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.tests.simulation.LogTierSimulation.Outcome;
import io.strandline.tests.simulation.LogTierSimulation.Shaking;
import org.junit.jupiter.api.Test;

/**
 * One short run without faults, over and over, dying at each of its steps in turn: at every change
 * of the disk (before it, after it or in the middle) and at every request to the store (carried out
 * or not). Up to there each run is the one whose steps were counted; what its crash leaves differs.
 * Crash models: process and power. {@code -Dsimulation.tries=N} tries each step N times.
 */
class CrashSweepTest {
  private static final long STORM_MS = 2_000;
  private static final int TRIES = Integer.getInteger("simulation.tries", 1);

  @Test
  void aProcessMayDieAtAnyStep() {
    sweep(LogTierPlan.PROCESS);
  }

  @Test
  void thePowerMayFailAtAnyStepWhenEveryAppendIsFlushed() {
    sweep(LogTierPlan.POWER_FLUSHED);
  }

  @Test
  void thePowerMayFailAtAnyStepOfOneReplica() {
    sweep(LogTierPlan.POWER_APART);
  }

  private static void sweep(LogTierPlan plan) {
    LogTierPlan small = plan.oneAtATime() ? plan : plan.alone();
    Outcome whole = run(small, new Shaking(STORM_MS, false, 0, 0, 0));
    assertThat(whole.stormSteps()).isGreaterThan(50);
    assertThat(whole.stormRequests()).isGreaterThan(5);
    int steps = whole.stormSteps();
    int requests = whole.stormRequests();
    // The step is the seed of what is torn, so that each is torn in its own way.
    Seeds.range(
        CrashSweepTest.class,
        0,
        TRIES * (steps + requests),
        tried -> {
          int at = (int) (tried / TRIES) + 1;
          Shaking dying =
              at <= steps
                  ? new Shaking(STORM_MS, false, at, 0, tried)
                  : new Shaking(STORM_MS, false, 0, at - steps, tried);
          Outcome outcome = run(small, dying);
          assertThat(outcome.lives()).as("somebody died").isGreaterThan(small.replicas());
          assertThat(outcome.acknowledged()).isPositive();
        });
  }

  private static Outcome run(LogTierPlan plan, Shaking shaking) {
    return ScratchDirectory.with(
        directory -> new LogTierSimulation(0, plan, shaking, directory).run());
  }
}

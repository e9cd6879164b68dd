package io.strandline.tests.simulation;

import io.strandline.tests.simulation.CrashingDisk.Model;

/**
 * Under which conditions a simulation of log and tier runs.
 *
 * @param model what a crash takes
 * @param replicas one, or a leader and a follower
 * @param minInSync {@code min.insync.replicas}
 * @param flushed whether every append is forced before it is acknowledged ({@code flush.messages})
 * @param oneAtATime whether a replica dies only while the other is alive and in sync
 */
record LogTierPlan(Model model, int replicas, int minInSync, boolean flushed, boolean oneAtATime) {
  /** Processes die as they like; page caches stay. */
  static final LogTierPlan PROCESS = new LogTierPlan(Model.PROCESS, 2, 1, false, false);

  /** The power fails everywhere as it likes; every append is forced. */
  static final LogTierPlan POWER_FLUSHED = new LogTierPlan(Model.POWER, 2, 1, true, false);

  /** The power fails on one side at a time; nothing is forced before its time (design D14). */
  static final LogTierPlan POWER_APART = new LogTierPlan(Model.POWER, 2, 2, false, true);

  /** One replica, whose end is its high watermark. */
  LogTierPlan alone() {
    return new LogTierPlan(model, 1, 1, flushed, false);
  }
}

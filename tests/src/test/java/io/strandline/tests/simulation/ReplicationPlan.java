package io.strandline.tests.simulation;

import io.strandline.tests.simulation.CrashingDisk.Model;
import java.util.Random;

/**
 * Under which conditions a simulation of replication runs.
 *
 * @param model what a crash takes
 * @param brokers how many there are
 * @param replicas how many of them have the partition
 * @param minInSync {@code min.insync.replicas}
 * @param flushed whether every append is forced before it is acknowledged ({@code flush.messages})
 * @param diskless whether machines come back with empty disks
 */
record ReplicationPlan(
    Model model, int brokers, int replicas, int minInSync, boolean flushed, boolean diskless) {
  /** What the crash of a machine takes of its disk, and how it is kept from being the last copy. */
  enum Kind {
    /** Processes die as they like; page caches stay. */
    PROCESS,
    /** The power fails everywhere as it likes; every append is forced. */
    POWER_FLUSHED,
    /**
     * Nothing is forced; the power of a machine fails while another in sync has not lost its own.
     */
    POWER_APART,
    /** As before, and now and then nothing at all is left of the disk. */
    DISKS_APART
  }

  static ReplicationPlan draw(Kind kind, Random random) {
    int brokers = 3 + random.nextInt(3);
    int minInSync = 1 + random.nextInt(2);
    return new ReplicationPlan(
        kind == Kind.PROCESS ? Model.PROCESS : Model.POWER,
        brokers,
        3,
        kind == Kind.POWER_APART || kind == Kind.DISKS_APART ? 2 : minInSync,
        kind == Kind.POWER_FLUSHED,
        kind == Kind.DISKS_APART);
  }

  /** Whether a machine may lose what was not forced only while another in sync keeps all. */
  boolean apart() {
    return model == Model.POWER && !flushed;
  }
}

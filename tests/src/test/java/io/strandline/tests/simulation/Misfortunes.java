package io.strandline.tests.simulation;

import io.strandline.tiering.store.StoreCall;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;

/**
 * What goes wrong in a run beside crashes and faults; one kind at most, for the last copy of
 * something is never both on a disk and in the bucket.
 */
final class Misfortunes {
  /** Which kind. */
  enum Kind {
    NONE,
    /** Machines come back with empty disks. */
    DISKS_LOST,
    /** Once all machines and the quorum are lost together, and built again from the bucket. */
    CLUSTER_LOST,
    /** Objects of the tier are lost, cut short or changed. */
    OBJECTS_DAMAGED,
    /** The store answers nobody for seconds, or takes no writes. */
    STORE_AWAY;

    private static final Kind[] DRAWN = {NONE, DISKS_LOST, CLUSTER_LOST, OBJECTS_DAMAGED};

    /** By a chance of its own, so that a run without any is the run that it was. */
    static Kind of(long seed, LogTierPlan plan) {
      SplittableRandom chance = new SplittableRandom(seed);
      Kind drawn = DRAWN[chance.nextInt(DRAWN.length)];
      if (drawn == NONE && chance.nextInt(3) > 0) {
        return STORE_AWAY;
      }
      return drawn == CLUSTER_LOST && plan.oneAtATime() ? DISKS_LOST : drawn;
    }
  }

  /**
   * What happened.
   *
   * @param disks came back empty
   * @param refills logs that went on at the tier's end
   * @param restores of the whole cluster
   * @param damages planted
   * @param told how often a reader was told so
   * @param found of these still named at the end, and known to the leader
   * @param outages in which somebody left the store alone
   */
  record Met(int disks, int refills, int restores, int damages, int told, int found, int outages) {
    static final Met NOTHING = new Met(0, 0, 0, 0, 0, 0, 0);

    Met plus(Met other) {
      return new Met(
          disks + other.disks,
          refills + other.refills,
          restores + other.restores,
          damages + other.damages,
          told + other.told,
          found + other.found,
          outages + other.outages);
    }
  }

  private static final int FOUND_IN_MS = 720_000;

  private final Kind kind;
  private final LogTierPlan plan;
  private final SimulatedCluster cluster;
  private final LogTierChecks checks;
  private final PlantedDamage damage;
  private final SimulatedRestore restore;
  private Met met = Met.NOTHING;
  private boolean over;
  private boolean writesOnly;
  private long awayUntil;

  Misfortunes(
      Kind kind,
      LogTierPlan plan,
      SimulatedCluster cluster,
      LogTierChecks checks,
      PlantedDamage damage,
      SimulatedRestore restore) {
    this.kind = kind;
    this.plan = plan;
    this.cluster = cluster;
    this.checks = checks;
    this.damage = damage;
    this.restore = restore;
  }

  Met met() {
    return met;
  }

  /** Nothing more goes wrong. */
  void end() {
    over = true;
  }

  /** All is written, and little will be taken away any more: damage that lasts. */
  void lastly() {
    if (kind == Kind.OBJECTS_DAMAGED) {
      plant();
    }
  }

  /** Lets it happen while the storm lasts. */
  void schedule(List<SimulatedMachine> machines, long stormMs) {
    if (kind == Kind.CLUSTER_LOST) {
      long backup = cluster.random.nextInt((int) stormMs / 3);
      long loss = stormMs / 4 + cluster.random.nextInt((int) stormMs / 2);
      at(Math.min(backup, loss - 1), () -> restore.backUp(cluster.epoch()));
      at(loss, () -> loseAll(machines));
    } else if (kind == Kind.OBJECTS_DAMAGED) {
      for (int i = cluster.random.nextInt(3); i >= 0; i--) {
        at(cluster.random.nextInt((int) stormMs), this::plant);
      }
    } else if (kind == Kind.STORE_AWAY) {
      for (int i = cluster.random.nextInt(3); i >= 0; i--) {
        long lengthMs = 1_000 + cluster.random.nextInt(8_000);
        long fromMs = cluster.random.nextInt((int) stormMs);
        at(fromMs, () -> goAway(lengthMs));
        at(fromMs + lengthMs - 1, this::lookWhoWaits);
      }
    }
  }

  private void goAway(long ms) {
    writesOnly = cluster.random.nextInt(3) == 0;
    awayUntil = cluster.time.nanos() + TimeUnit.MILLISECONDS.toNanos(ms);
    cluster.trace.add("the store is away" + (writesOnly ? " to writes" : ""));
  }

  private void lookWhoWaits() {
    if (!over && cluster.replicas().anyMatch(SimulatedReplica::leavesStoreAlone)) {
      met = met.plus(new Met(0, 0, 0, 0, 0, 0, 1));
    }
  }

  /** Whether the store does not answer this call. */
  boolean away(StoreCall call) {
    return !over && cluster.time.nanos() < awayUntil && (!writesOnly || call.operation().writes());
  }

  private void at(long ms, SimulatedCluster.Action action) {
    var unused =
        cluster.time.schedule(
            () -> {
              try {
                action.run();
              } catch (Exception | AssertionError failure) {
                cluster.violated(failure);
              }
            },
            ms,
            TimeUnit.MILLISECONDS);
  }

  private void plant() {
    String what = damage.plant(checks.named());
    cluster.trace.add("damage: " + what);
    met = met.plus(new Met(0, 0, 0, damage.count() - met.damages, 0, 0, 0));
  }

  private void loseAll(List<SimulatedMachine> machines) {
    cluster.trace.add("all is lost but the bucket");
    machines.forEach(SimulatedMachine::burn);
    cluster.restored(0, restore.restore(0));
    met = met.plus(new Met(0, 0, 1, 0, 0, 0, 0));
  }

  /** Whether a machine that died comes back with an empty disk. */
  boolean losesDisk() {
    boolean loses = kind == Kind.DISKS_LOST && !over && cluster.random.nextInt(3) == 0;
    if (loses) {
      met = met.plus(new Met(1, 0, 0, 0, 0, 0, 0));
    }
    return loses;
  }

  /** A log goes on at the tier's end; what was above it may be gone for good. */
  void refilled(SimulatedReplica replica) {
    if (cluster.leader() != replica.id) {
      return; // another leads meanwhile: it takes what that one has
    }
    checks.refilled(replica);
    long end = replica.log.logEndOffset();
    if (plan.oneAtATime() && end < cluster.history.endOffset()) {
      throw new AssertionError("AcknowledgedReadable: only one disk was lost, and all from " + end);
    }
    cluster.trace.add("log lost from " + end + " to " + cluster.history.endOffset());
    cluster.history.cut(end, cluster.epoch());
    met = met.plus(new Met(0, 1, 0, 0, 0, 0, 0));
  }

  /** Time passes. */
  interface Waiting {
    void during(long ms);
  }

  /** All damage that is still named becomes known to the leader, sooner or later. */
  void settled(SimulatedReplica leader, Waiting waiting) {
    List<String> unfound = checks.unfound(leader);
    for (int ms = 0; ms < FOUND_IN_MS && !unfound.isEmpty(); ms += 20_000) {
      waiting.during(20_000);
      unfound = checks.unfound(leader);
    }
    if (!unfound.isEmpty()) {
      throw new AssertionError("DamageIsFound: " + unfound + "\n" + cluster.trace.tail());
    }
    met = met.plus(new Met(0, 0, 0, 0, damage.told(), leader.findings().size(), 0));
  }
}

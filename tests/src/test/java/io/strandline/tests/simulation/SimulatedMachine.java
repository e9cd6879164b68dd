package io.strandline.tests.simulation;

import io.strandline.broker.log.PartitionLog;
import io.strandline.tiering.store.ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A machine with one disk, on which one life of a broker follows another: each begins on what the
 * crash of the one before left.
 */
final class SimulatedMachine {
  /** What a machine needs of the simulation around it. */
  interface World {
    /** Steps of its disk until a new life ends. */
    int steps(int id, int life);

    /** Decides what the end of a life leaves of what was under way. */
    Random tearing(int id, int life);

    boolean mayCrash(int id);

    ObjectStore store(int id, int life, Runnable crash);

    /** A segment of this replica's log went. */
    void segmentGone(SimulatedReplica replica);

    /** Whether the next life begins with an empty disk. */
    boolean losesDisk(int id);

    /** Its log was lost, and is the tier's end now. */
    void refilled(SimulatedReplica replica);

    /** It lives: give it work. */
    void born(SimulatedReplica replica);
  }

  final int id;
  private final SimulatedCluster cluster;
  private final World world;
  private final Path directory;
  private final CrashingDisk.Model model;
  private int life = -1;
  private int firstLifeSteps;
  private boolean diskLost;

  /** A log was lost, and the tier's end may stand in its place without anyone having heard. */
  private boolean searching;

  private @Nullable CrashingDisk disk;
  private @Nullable SimulatedHome home;
  private @Nullable SimulatedReplica replica;

  SimulatedMachine(
      int id, SimulatedCluster cluster, World world, Path directory, CrashingDisk.Model model)
      throws IOException {
    this.id = id;
    this.cluster = cluster;
    this.world = world;
    this.directory = directory;
    this.model = model;
    Files.createDirectories(root(0));
  }

  /** Who lives here, if anyone does. */
  @Nullable SimulatedReplica replica() {
    SimulatedReplica there = replica;
    return there != null && there.process.alive() ? there : null;
  }

  int lives() {
    return life + 1;
  }

  /** Changes of the disk in the first life. */
  int firstLifeSteps() {
    SimulatedReplica there = replica;
    return life == 0 && there != null ? there.disk.steps() : firstLifeSteps;
  }

  private Path root(int ofLife) {
    return directory.resolve("machine-" + id + "-life-" + ofLife);
  }

  /** The disk is lost, and with it whoever lives here. */
  void burn() {
    diskLost = true;
    if (disk != null) {
      disk.crash();
    }
  }

  void boot() {
    life++;
    SimulatedProcess process = new SimulatedProcess(cluster.time);
    Watch watch = new Watch(process);
    CrashingDisk fresh = new CrashingDisk(world.tearing(id, life), world.steps(id, life), watch);
    watch.disk = fresh;
    disk = fresh;
    cluster.trace.add("replica " + id + " begins life " + life);
    guarded(fresh, () -> begin(process, fresh));
  }

  private void guarded(CrashingDisk mine, SimulatedCluster.Action step) {
    try {
      step.run();
    } catch (Crash | Exception | AssertionError failure) {
      if (!mine.crashed()) {
        cluster.violated(failure);
      }
    }
  }

  private void begin(SimulatedProcess process, CrashingDisk mine) throws IOException {
    if (life > 0 && (diskLost || world.losesDisk(id))) {
      diskLost = false;
      cluster.trace.add("replica " + id + " has an empty disk");
      ScratchDirectory.remove(root(life));
    }
    Files.createDirectories(root(life));
    SimulatedReplica.Birth birth =
        new SimulatedReplica.Birth(id, root(life), world.store(id, life, mine::crash), cluster);
    SimulatedHome there = new SimulatedHome(root(life), cluster, process, mine);
    home = there;
    Optional<PartitionLog> log = there.log();
    if (searching && log.isPresent()) {
      cluster.registered(id);
      foundLog(birth, process, mine, log.get(), true);
    } else if (life == 0 || log.isPresent()) {
      PartitionLog its = log.orElseGet(there::create);
      SimulatedReplica born = new SimulatedReplica(birth, process, mine, there, its);
      cluster.registered(id);
      live(born);
    } else {
      cluster.registered(id);
      searching = true;
      new SimulatedRefill(
              birth,
              there,
              process,
              mine,
              new SimulatedRefill.Told() {
                @Override
                public void follows() {
                  searching = false;
                }

                @Override
                public void found(PartitionLog its, boolean refilled) {
                  guarded(mine, () -> foundLog(birth, process, mine, its, refilled));
                }
              })
          .look();
    }
  }

  private void foundLog(
      SimulatedReplica.Birth birth,
      SimulatedProcess process,
      CrashingDisk mine,
      PartitionLog log,
      boolean refilled)
      throws IOException {
    SimulatedReplica born =
        new SimulatedReplica(birth, process, mine, Objects.requireNonNull(home), log);
    if (refilled) {
      born.refilled();
      world.refilled(born);
    }
    searching = false;
    live(born);
  }

  private void live(SimulatedReplica born) {
    replica = born;
    cluster.born(id, born);
    world.born(born);
  }

  /** The quorum notices; what is left of the disk is there for the next life. */
  private void bury(CrashingDisk disk) {
    try {
      close();
      replica = null;
      cluster.died(id);
      if (life == 0) {
        firstLifeSteps = disk.steps();
      }
      disk.leave(root(life), root(life + 1), model);
      ScratchDirectory.remove(root(life));
    } catch (IOException | RuntimeException failure) {
      cluster.violated(failure);
    }
    var unused =
        cluster.time.schedule(this::boot, cluster.random.nextInt(2_500), TimeUnit.MILLISECONDS);
  }

  /** Its files, as the system closes them when a process ends. */
  void close() throws IOException {
    if (replica != null) {
      replica.closeFiles();
    }
    if (home != null) {
      home.directory.close();
      home = null;
    }
  }

  /** One life's disk tells. */
  private final class Watch implements CrashingDisk.Listener {
    private final SimulatedProcess process;
    private @Nullable CrashingDisk disk;

    Watch(SimulatedProcess process) {
      this.process = process;
    }

    @Override
    public void step(String what) {
      cluster.trace.add("disk " + id + " " + what);
      SimulatedReplica there = replica;
      if (there != null && what.endsWith(".log.deleted")) {
        world.segmentGone(there);
      }
    }

    @Override
    public boolean mayCrash() {
      return world.mayCrash(id);
    }

    @Override
    public void crashed() {
      cluster.trace.add("replica " + id + " dies");
      process.die();
      CrashingDisk dead = disk;
      if (dead != null) {
        var unused =
            cluster.time.schedule(
                () -> bury(dead), cluster.random.nextInt(1_200), TimeUnit.MILLISECONDS);
      }
    }
  }
}

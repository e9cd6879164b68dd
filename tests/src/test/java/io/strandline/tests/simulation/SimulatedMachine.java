package io.strandline.tests.simulation;

import io.strandline.tiering.store.ObjectStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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

    boolean mayCrash(int id);

    ObjectStore store(int id, int life, Runnable crash);

    /** A segment of this replica's log went. */
    void segmentGone(SimulatedReplica replica);

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

  void boot() {
    life++;
    SimulatedProcess process = new SimulatedProcess(cluster.time);
    Watch watch = new Watch(process);
    CrashingDisk disk = new CrashingDisk(cluster.random, world.steps(id, life), watch);
    watch.disk = disk;
    cluster.trace.add("replica " + id + " begins life " + life);
    try {
      SimulatedReplica born =
          new SimulatedReplica(
              new SimulatedReplica.Birth(
                  id, root(life), world.store(id, life, disk::crash), cluster),
              process,
              disk);
      replica = born;
      cluster.born(id, born);
      world.born(born);
    } catch (Crash | RuntimeException | IOException | AssertionError failure) {
      if (!disk.crashed()) {
        cluster.violated(failure);
      }
    }
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

package io.strandline.tests.simulation;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * A machine with one disk on which one life of a broker follows another, each on what the end of
 * the one before left.
 */
final class SimulatedBroker {
  final int id;
  private final ReplicationWorld world;
  private final Path directory;
  private int life = -1;
  private boolean stoppedCleanly;
  private boolean diskLost;
  private int disksLost;
  private CrashingDisk.Model nextModel;
  private @Nullable BrokerLife living;

  SimulatedBroker(int id, ReplicationWorld world, Path directory) throws IOException {
    this.id = id;
    this.world = world;
    this.directory = directory;
    this.nextModel = world.plan.model();
    Files.createDirectories(root(0));
  }

  int lives() {
    return life + 1;
  }

  int disksLost() {
    return disksLost;
  }

  /** Who lives here, if anyone does. */
  @Nullable BrokerLife living() {
    BrokerLife there = living;
    return there != null && there.process.alive() ? there : null;
  }

  private Path root(int ofLife) {
    return directory.resolve("broker-" + id + "-life-" + ofLife);
  }

  /** The next crash is of the process alone. */
  void keepPageCache() {
    nextModel = CrashingDisk.Model.PROCESS;
  }

  void boot() {
    life++;
    nextModel = world.plan.model();
    SimulatedProcess process = new SimulatedProcess(world.time);
    Watch watch = new Watch(process);
    CrashingDisk disk = new CrashingDisk(world.random, world.steps(), watch);
    watch.disk = disk;
    world.trace.add("broker " + id + " begins life " + life);
    boolean clean = stoppedCleanly || life == 0;
    stoppedCleanly = false;
    world.guard(
        disk,
        () -> {
          Files.createDirectories(root(life));
          BrokerLife born = new BrokerLife(this, world, process, disk, root(life));
          living = born;
          born.begin(clean);
        });
  }

  /** In order, the quorum having been asked: nothing is lost. */
  void stopInOrder() {
    BrokerLife there = living();
    if (there == null) {
      return;
    }
    world.trace.add("broker " + id + " stops in order");
    keepPageCache();
    world.guard(
        there.disk,
        () -> {
          there.stop();
          stoppedCleanly = true;
        });
    there.disk.crash();
  }

  /** What is left of the disk is there for the next life. */
  private void bury(CrashingDisk disk) {
    try {
      close();
      living = null;
      if (diskLost) {
        world.trace.add("broker " + id + " gets an empty disk");
        Files.createDirectories(root(life + 1));
        diskLost = false;
      } else {
        disk.leave(root(life), root(life + 1), nextModel);
      }
      ScratchDirectory.remove(root(life));
    } catch (IOException | RuntimeException failure) {
      world.violated(failure);
    }
    var unused = world.time.schedule(this::boot, world.pauseMs(), TimeUnit.MILLISECONDS);
  }

  /** Its files, as the system closes them when a process ends. */
  void close() throws IOException {
    if (living != null) {
      living.close();
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
      world.trace.addUntold("disk " + id + " " + what);
    }

    @Override
    public boolean mayCrash() {
      return world.mayCrash(id);
    }

    @Override
    public void crashed() {
      world.trace.add("broker " + id + " ends, " + nextModel);
      if (world.mayLoseDisk(id)) {
        diskLost = true;
        disksLost++;
        stoppedCleanly = false; // that it did stood on the disk
      }
      world.ended(id, stoppedCleanly);
      process.die();
      CrashingDisk dead = disk;
      if (dead != null) {
        var unused =
            world.time.schedule(() -> bury(dead), world.random.nextInt(100), TimeUnit.MILLISECONDS);
      }
    }
  }
}

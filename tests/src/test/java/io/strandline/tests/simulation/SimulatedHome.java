package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.nursery.LogNursery;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Executor;
import org.apache.kafka.storage.internals.log.LogConfig;

/** The log directory of one life, and the log in it if there is one. */
final class SimulatedHome {
  final LogDirectory directory;
  private final SimulatedCluster cluster;
  private final SimulatedProcess process;
  private final CrashingDisk disk;
  private boolean open;

  /**
   * @throws Crash if the disk ends this life already
   */
  SimulatedHome(Path root, SimulatedCluster cluster, SimulatedProcess process, CrashingDisk disk)
      throws IOException {
    this.cluster = cluster;
    this.process = process;
    this.disk = disk;
    Path logs = root.resolve("log");
    Files.createDirectories(logs);
    disk.begin(root);
    this.directory = LogDirectory.open(logs, runtime());
  }

  /** What an earlier life left; to be asked once. */
  Optional<PartitionLog> log() {
    LogConfig config = config();
    Optional<PartitionLog> there =
        Optional.ofNullable(directory.openAll(name -> config).get(SimulatedCluster.PARTITION));
    if (there.isEmpty() && !directory.unreadable().isEmpty()) {
      throw new AssertionError("refused after the crash: " + directory.unreadable());
    }
    open = there.isPresent();
    return there;
  }

  PartitionLog create() {
    PartitionLog made = directory.create(SimulatedCluster.PARTITION, config());
    open = true;
    return made;
  }

  PartitionLog adopt(LogNursery nursery) {
    PartitionLog made = directory.adopt(nursery, config());
    open = true;
    return made;
  }

  private LogConfig config() {
    return new LogConfig(cluster.topic());
  }

  /** Seals wait their turn once the logs are open; opening waits for its own tasks. */
  private LogRuntime runtime() {
    Executor later =
        task -> {
          if (open) {
            process.execute(() -> cluster.guard(disk, task::run));
          } else {
            task.run();
          }
        };
    return new LogRuntime(
        disk,
        cluster.time,
        cluster.random,
        later,
        process,
        new CompositeMeterRegistry(),
        LogSettings.defaults());
  }
}

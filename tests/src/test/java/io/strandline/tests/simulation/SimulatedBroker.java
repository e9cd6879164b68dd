package io.strandline.tests.simulation;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.tiering.TierConfig;
import io.strandline.tiering.TierMember;
import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.TierServices;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.upload.UploadConfig;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.storage.internals.log.LogConfig;

/** One life of a broker with one partition: the real log and the real tier, until it dies. */
final class SimulatedBroker {
  static final TopicIdPartition PARTITION = new TopicIdPartition(new Uuid(5, 6), 0, "orders");
  static final long MINUTE_MS = 60_000;

  final SimulatedProcess process;
  final CrashingDisk disk;
  final Path root;
  final PartitionLog log;
  private final TierPipeline pipeline;

  /** What a life is given. */
  record Birth(SimulatedTime time, Random random, ObjectStore store, Path root, int leaderEpoch) {}

  /**
   * Starts on what is left below the root.
   *
   * @throws Crash if the disk ends this life already
   */
  SimulatedBroker(
      Birth birth, SimulatedProcess process, CrashingDisk disk, Map<String, String> topic)
      throws IOException {
    this.process = process;
    this.disk = disk;
    this.root = birth.root();
    Path logs = root.resolve("log");
    Files.createDirectories(logs);
    disk.begin(root);
    LogDirectory directory =
        LogDirectory.open(
            logs,
            new LogRuntime(
                disk,
                birth.time(),
                birth.random(),
                Runnable::run,
                process,
                new SimpleMeterRegistry(),
                LogSettings.defaults()));
    LogConfig config = new LogConfig(topic);
    PartitionLog there = directory.openAll(name -> config).get(PARTITION);
    if (there == null && !directory.unreadable().isEmpty()) {
      throw new AssertionError("refused after the crash: " + directory.unreadable());
    }
    this.log = there != null ? there : directory.create(PARTITION, config);
    log.assignEpoch(birth.leaderEpoch(), log.logEndOffset());
    this.pipeline = pipeline(birth);
    pipeline.join(
        new TierMember(log, log, log::logEndOffset, birth.leaderEpoch(), SimulatedBroker::policy));
    pipeline.start();
  }

  /** Little stays local, so that the seam moves all the time. */
  private static TierPolicy policy() {
    return new TierPolicy(-1, 20_000, -2, 1_500, false);
  }

  static ManifestConfig manifests() {
    return new ManifestConfig(
        10 * MINUTE_MS, 4, MINUTE_MS, 1 << 20, Optional.empty(), ManifestConfig.Fencing.CHAIN);
  }

  private TierPipeline pipeline(Birth birth) throws IOException {
    StoreManifests.Environment environment =
        new StoreManifests.Environment(
            birth.time(), birth.random(), process, new SimpleMeterRegistry());
    return new TierPipeline(
        new TierConfig(
            new UploadConfig(2, 1 << 20),
            500,
            2_000,
            200,
            5_000,
            3,
            10 * MINUTE_MS,
            30 * MINUTE_MS),
        new TierServices(
            "cluster",
            birth.store(),
            StoreManifests.open(birth.store(), manifests(), environment),
            UploadIntents.open(root.resolve("intents")),
            Deletions.open(root.resolve("deletions")),
            process,
            process,
            birth.time(),
            birth.random(),
            new SimpleMeterRegistry()));
  }
}

package io.strandline.tests.simulation;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * A broker that appends, seals, uploads, commits, releases and expires, and dies at a step of its
 * disk or at any time; another begins on what is left. The store is as faulty as ever.
 */
final class LogTierSimulation {
  private static final Duration LIFE_MAX = Duration.ofSeconds(25);
  private static final int LIVES = 6;

  private final SimulatedTime time;
  private final Random random;
  private final CrashingDisk.Model model;
  private final boolean flushed;
  private final Path directory;
  private final ObjectStore bucket;
  private final Manifests observer;
  private final WrittenRecords written = new WrittenRecords();
  private final List<TierCheck> checks =
      List.of(
          new TierCheck.VersionsRise(),
          new TierCheck.SegmentsDense(),
          new TierCheck.NamedObjectsExist());
  private @Nullable Throwable violation;
  private int lives;

  /**
   * @param flushed whether every append is forced before it is acknowledged ({@code
   *     flush.messages})
   */
  LogTierSimulation(long seed, CrashingDisk.Model model, boolean flushed, Path directory) {
    this.flushed = flushed;
    this.random = new Random(seed);
    this.time = new SimulatedTime(random);
    this.model = model;
    this.directory = directory;
    this.bucket = new MemoryObjectStore(Runnable::run, time);
    this.observer =
        StoreManifests.open(
            bucket,
            SimulatedBroker.manifests(),
            new StoreManifests.Environment(
                time, new Random(0), Runnable::run, new SimpleMeterRegistry()));
  }

  /** What came of a run; the same seed gives the same. */
  record Outcome(int records, long version, long tierEnd, int lives) {}

  Outcome run() throws IOException {
    for (int life = 0; life < LIVES; life++) {
      live(life);
    }
    ManifestView view = observer.read(SimulatedBroker.PARTITION).join();
    return new Outcome(written.count(), view.version(), view.endOffset(), lives);
  }

  private void live(int life) throws IOException {
    Path root = directory.resolve("life-" + life);
    Files.createDirectories(root);
    SimulatedProcess process = new SimulatedProcess(time);
    // Some die while they recover, some at a step of their work, the rest when their time is over.
    int steps = 1 + random.nextInt(random.nextInt(4) == 0 ? 40 : 1500);
    CrashingDisk disk = new CrashingDisk(random, steps, process::die);
    try {
      SimulatedBroker broker = born(process, disk, root);
      written.recovered(broker.log);
      check(broker);
      produce(broker);
      time.runFor(random.nextLong(LIFE_MAX.toNanos()));
      if (process.alive()) {
        check(broker);
      }
    } catch (Crash | RuntimeException failure) {
      if (!disk.crashed()) {
        throw failure;
      }
      // The next life will tell.
    }
    disk.crash();
    if (violation != null) {
      throw new AssertionError(violation.getMessage(), violation);
    }
    disk.leave(root, directory.resolve("life-" + (life + 1)), model);
    time.runFor(random.nextLong(Duration.ofSeconds(10).toNanos()));
  }

  private SimulatedBroker born(SimulatedProcess process, CrashingDisk disk, Path root)
      throws IOException {
    ObjectStore store =
        new FaultyObjectStore(bucket, FaultPlan.random(random, 0.05, Duration.ofMillis(200)), time);
    lives++;
    return new SimulatedBroker(
        new SimulatedBroker.Birth(time, random, store, root, lives), process, disk, topic());
  }

  private Map<String, String> topic() {
    Map<String, String> topic = new HashMap<>();
    topic.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "700");
    topic.put(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "100");
    if (flushed) {
      topic.put(TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, "1");
    }
    return topic;
  }

  private void produce(SimulatedBroker broker) {
    broker.process.execute(
        () -> {
          try {
            append(broker);
            if (random.nextInt(20) == 0) {
              check(broker);
            }
          } catch (Error | RuntimeException | IOException e) {
            violation = violation == null && !broker.disk.crashed() ? e : violation;
            return;
          }
          var unused =
              time.schedule(() -> produce(broker), 20 + random.nextInt(200), TimeUnit.MILLISECONDS);
        });
  }

  private void append(SimulatedBroker broker) {
    SimpleRecord[] records = new SimpleRecord[1 + random.nextInt(4)];
    for (int i = 0; i < records.length; i++) {
      String value = "value-" + written.next() + "x".repeat(random.nextInt(60));
      records[i] = new SimpleRecord(time.millis(), value.getBytes(StandardCharsets.UTF_8));
    }
    long from = broker.log.logEndOffset();
    written.tried(from, records);
    var appended =
        broker.log.appendAsLeader(
            MemoryRecords.withRecords(Compression.NONE, records),
            lives,
            AppendOrigin.CLIENT,
            time.millis());
    written.acknowledged(appended.firstOffset(), appended.lastOffset());
  }

  /** Invariants 1 to 5 and 7, of the log and the tier together. */
  private void check(SimulatedBroker broker) throws IOException {
    ManifestView view = observer.read(SimulatedBroker.PARTITION).join();
    List<SegmentEntry> named = view.from(0, Integer.MAX_VALUE).join();
    TierCheck.all(checks, new TierCheck.Look(view, named, bucket));
    try {
      written.check(broker.log, view, named, bucket);
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }
}

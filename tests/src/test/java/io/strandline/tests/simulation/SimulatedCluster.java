package io.strandline.tests.simulation;

import io.strandline.tiering.GatherConfig;
import io.strandline.tiering.TierConfig;
import io.strandline.tiering.compact.CompactionConfig;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.scrub.ScrubConfig;
import io.strandline.tiering.upload.UploadConfig;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * Who leads, in which epoch, and who is in sync, as the quorum has it: what it says is true at
 * once, who hears of it when is another matter. Elects from those in sync only.
 */
final class SimulatedCluster {
  private static final RewriteConfig REWRITE =
      new RewriteConfig(CompactionConfig.defaults(), 1, 2_048, 2_500, 700, Double.MAX_VALUE);

  static final String CLUSTER = "cluster";
  static final TopicIdPartition PARTITION = new TopicIdPartition(new Uuid(5, 6), 0, "orders");

  final SimulatedTime time;
  final Random random;
  final Trace trace;
  final History history = new History();
  private final LogTierPlan plan;
  private final boolean compacts;
  private final TierPolicy policy;
  private final Set<Integer> inSync = new TreeSet<>();
  private final Map<Integer, SimulatedReplica> alive = new TreeMap<>();

  /** Processes that may be elected, whether they have found their log yet or not. */
  private final Set<Integer> registered = new TreeSet<>();

  private int leader = -1;
  private int epoch;
  private @Nullable Throwable violation;

  SimulatedCluster(LogTierPlan plan, SimulatedTime time, Random random, Trace trace) {
    this.plan = plan;
    this.time = time;
    this.random = random;
    this.trace = trace;
    this.compacts = random.nextInt(3) == 0;
    this.policy = drawPolicy();
    for (int id = 0; id < plan.replicas(); id++) {
      inSync.add(id);
    }
  }

  /** Little stays local, so that the seam moves all the time; retention by time, bytes or not. */
  private TierPolicy drawPolicy() {
    return switch (random.nextInt(3)) {
      case 0 -> new TierPolicy(15_000, -1, -2, 1_500, false);
      case 1 -> new TierPolicy(-1, 9_000, -2, 1_500, false);
      default -> new TierPolicy(-1, -1, 4_000, 2_500, false);
    };
  }

  TierPolicy policy() {
    return policy;
  }

  /** Small figures in the proportions of the defaults. */
  static ManifestConfig manifestConfig() {
    return new ManifestConfig(
        60_000, 4, 10_000, 1 << 20, Optional.empty(), ManifestConfig.Fencing.CHAIN);
  }

  static TierConfig tierConfig() {
    return new TierConfig(
        new UploadConfig(2, 1 << 20, false),
        GatherConfig.none(),
        300,
        1_000,
        200,
        2_000,
        3,
        new ScrubConfig(12_000, 1 << 20, 5_000, 20_000, false),
        () -> REWRITE);
  }

  /** One run in three is of a compacted topic; the others merge small neighbours. */
  CompactionPolicy compaction() {
    return compacts
        ? new CompactionPolicy(
            true, 0.3, 0, Long.MAX_VALUE, History.DELETE_RETENTION_MS, 1_500, false)
        : CompactionPolicy.never(1_500);
  }

  boolean compacts() {
    return compacts;
  }

  Map<String, String> topic() {
    Map<String, String> topic = new HashMap<>();
    topic.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "700");
    topic.put(TopicConfig.INDEX_INTERVAL_BYTES_CONFIG, "100");
    topic.put(TopicConfig.FILE_DELETE_DELAY_MS_CONFIG, "2000");
    if (plan.flushed()) {
      topic.put(TopicConfig.FLUSH_MESSAGES_INTERVAL_CONFIG, "1");
    }
    return topic;
  }

  // ---- the quorum

  int leader() {
    return leader;
  }

  int epoch() {
    return epoch;
  }

  boolean inSync(int id) {
    return inSync.contains(id);
  }

  Set<Integer> inSync(SimulatedReplica asking) {
    return asking.epoch() == epoch ? inSync : Set.of(0, 1);
  }

  boolean enoughInSync(SimulatedReplica asking) {
    return inSync(asking).size() >= plan.minInSync();
  }

  /** Those that live. */
  Stream<SimulatedReplica> replicas() {
    return alive.values().stream();
  }

  /** The log is there. */
  void born(int id, SimulatedReplica replica) {
    alive.put(id, replica);
  }

  /** A new process of this broker. */
  void registered(int id) {
    registered.add(id);
    if (leader < 0 || leader == id) {
      elect();
    }
  }

  /** A replica died. One whose page cache is gone is out of sync until it has caught up. */
  void died(int id) {
    alive.remove(id);
    registered.remove(id);
    if (inSync.size() > 1) {
      inSync.remove(id);
    }
    if (leader == id) {
      elect();
    }
  }

  /** Another of those in sync, if there is one. */
  void handOver() {
    inSync.stream()
        .filter(id -> id != leader && alive.containsKey(id))
        .findFirst()
        .ifPresent(this::elected);
  }

  /** All of it was lost, the quorum too, and built again around one broker. */
  void restored(int id, int restoredEpoch) {
    inSync.clear();
    inSync.add(id);
    leader = -1;
    epoch = restoredEpoch;
    trace.add("restored around " + id + " in epoch " + epoch);
  }

  private void elect() {
    leader = -1;
    inSync.stream().filter(registered::contains).findFirst().ifPresent(this::elected);
  }

  private void elected(int id) {
    leader = id;
    epoch++;
    trace.add("elected " + id + " in epoch " + epoch + ", in sync " + inSync);
  }

  /** The leader's follower is silent. */
  void shrink(SimulatedReplica asking) {
    if (asking.epoch() == epoch && inSync.size() > 1) {
      inSync.removeIf(id -> id != asking.id);
      trace.add("in sync " + inSync);
    }
  }

  /** The leader's follower has caught up. */
  void expand(SimulatedReplica asking) {
    if (asking.epoch() == epoch && plan.replicas() > 1 && inSync.size() == 1) {
      inSync.add(1 - asking.id);
      trace.add("in sync " + inSync);
    }
  }

  // ---- failures

  /** What a replica does. */
  interface Action {
    void run() throws Exception;
  }

  /** Runs a replica's action; what it throws while the process lives is a violation. */
  void guard(SimulatedReplica replica, Action action) {
    guard(replica.disk, action);
  }

  /** The same of a process by its disk. */
  void guard(CrashingDisk disk, Action action) {
    try {
      action.run();
    } catch (Exception | Error failure) {
      if (!disk.crashed()) {
        violated(failure);
      }
    }
  }

  /** The first counts; what follows from it does not. */
  void violated(Throwable what) {
    if (violation == null) {
      violation = what;
    }
  }

  boolean violated() {
    return violation != null;
  }

  void throwIfViolated() {
    if (violation != null) {
      throw new AssertionError(violation.getMessage() + "\n" + trace.tail(), violation);
    }
  }
}

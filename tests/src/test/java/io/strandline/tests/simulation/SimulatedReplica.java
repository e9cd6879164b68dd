package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRead;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.PartitionLog.EpochEnd;
import io.strandline.replay.ReplayException;
import io.strandline.tiering.TierMember;
import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.TierServices;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.scrub.AuditFinding;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.guard.Circuit;
import io.strandline.tiering.store.guard.CircuitObjectStore;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.server.storage.log.UnexpectedAppendOffsetException;
import org.jspecify.annotations.Nullable;

/**
 * One life of a broker with one replica: the real log and the real tier, until it dies. Leads or
 * follows as it was last told, which may be long out of date. Replication between replicas is the
 * simulation's own and the simplest that is Kafka's: the follower fetches by offset and epoch and
 * truncates where the leader's epochs diverge; the leader's high watermark is the lowest end in
 * sync.
 */
final class SimulatedReplica {
  private static final int FETCH_BYTES = 600;

  /** In the proportions of the default, for outages of seconds. */
  private static final Circuit CIRCUIT =
      new Circuit(3, Duration.ofMillis(200), Duration.ofMillis(1_500));

  final int id;
  final SimulatedProcess process;
  final CrashingDisk disk;
  final Path root;
  final PartitionLog log;
  final Manifests manifests;
  final ObjectStore store;
  private final SimulatedCluster cluster;
  private final LogDirectory directory;
  private final UploadIntents intents;
  private final TierPipeline pipeline;
  private final CircuitObjectStore circuit;
  private int epoch;
  private int leader = -1;
  private long highWatermark;
  private long followerEnd = -1;
  private long epochStart;
  private long fetchedNanos;

  /** What a life is given. */
  record Birth(int id, Path root, ObjectStore store, SimulatedCluster cluster) {}

  /**
   * Starts with a log.
   *
   * @throws Crash if the disk ends this life already
   */
  SimulatedReplica(
      Birth birth,
      SimulatedProcess process,
      CrashingDisk disk,
      SimulatedHome home,
      PartitionLog log)
      throws IOException {
    this.id = birth.id();
    this.process = process;
    this.disk = disk;
    this.root = birth.root();
    this.cluster = birth.cluster();
    this.circuit =
        new CircuitObjectStore(
            birth.store(), CIRCUIT, process, cluster.time::nanos, new CompositeMeterRegistry());
    this.store = circuit;
    this.directory = home.directory;
    this.log = log;
    long checkpointed =
        directory.highWatermarks().getOrDefault(SimulatedCluster.PARTITION.topicPartition(), 0L);
    this.highWatermark = Math.min(Math.max(checkpointed, log.logStartOffset()), log.logEndOffset());
    this.manifests = manifests(store, cluster, process);
    this.intents = UploadIntents.open(root.resolve("intents"));
    this.pipeline = pipeline();
    circuit.listen(
        new CircuitObjectStore.Listener() {
          @Override
          public void trialDue() {
            pipeline.retryNow(1);
          }

          @Override
          public void cameBack() {
            pipeline.retryNow(Integer.MAX_VALUE);
          }
        });
    pipeline.start();
  }

  /** Whether the store is away as far as this one knows. */
  boolean leavesStoreAlone() {
    return !circuit.trouble().isEmpty();
  }

  /** The log is the tier's end: all that is known was committed. */
  void refilled() {
    highWatermark = log.logEndOffset();
  }

  /** Damage that a reader met. */
  void met(TopicIdPartition partition, ReplayException.Damage range) {
    pipeline.scrubbed().met(partition, range.fromOffset(), range.toOffset());
  }

  /** What the scrub has to say. */
  List<AuditFinding> findings() {
    return pipeline.scrubbed().findings(SimulatedCluster.PARTITION);
  }

  static Manifests manifests(
      ObjectStore store, SimulatedCluster cluster, SimulatedProcess process) {
    return StoreManifests.open(
        store,
        SimulatedCluster.manifestConfig(),
        new StoreManifests.Environment(
            cluster.time, cluster.random, process, new CompositeMeterRegistry()));
  }

  private TierPipeline pipeline() throws IOException {
    return new TierPipeline(
        SimulatedCluster.tierConfig(),
        new TierServices(
            SimulatedCluster.CLUSTER,
            store,
            OwnedStores.all(store),
            manifests,
            intents,
            Deletions.open(root.resolve("deletions")),
            process,
            new Workbench(process, root.resolve("rewriting")),
            process,
            cluster.time,
            cluster.random,
            Recompressor.none(),
            new CompositeMeterRegistry()));
  }

  /** Its files are closed as the system does it when a process ends; the directory is another's. */
  void closeFiles() throws IOException {
    intents.close();
  }

  boolean leads() {
    return leader == id;
  }

  int epoch() {
    return epoch;
  }

  long highWatermark() {
    return highWatermark;
  }

  /** The news, however late, of who leads. */
  void become(int newLeader, int newEpoch) {
    if (newEpoch < epoch || (newEpoch == epoch && newLeader == leader)) {
      return;
    }
    epoch = newEpoch;
    leader = newLeader;
    followerEnd = -1;
    fetchedNanos = cluster.time.nanos();
    if (leads()) {
      epochStart = log.logEndOffset();
      log.assignEpoch(epoch, epochStart);
      pipeline.join(
          new TierMember(
              log,
              log,
              this::highWatermark,
              epoch,
              cluster::policy,
              new Compactable(cluster::compaction, Map::of)));
    } else {
      var unused = pipeline.leave(SimulatedCluster.PARTITION);
    }
    settle();
  }

  /** The topic is deleted. */
  CompletableFuture<Void> deleteTier() {
    return pipeline.delete(SimulatedCluster.PARTITION, epoch, true);
  }

  /** What the broker does about once a second. */
  void maintain() {
    directory.maintain(cluster.time.millis());
    directory.checkpointHighWatermarks(
        Map.of(SimulatedCluster.PARTITION.topicPartition(), highWatermark));
    boolean silent = cluster.time.nanos() - fetchedNanos > 1_500_000_000L;
    if (leads() && silent) {
      cluster.shrink(this);
    }
    settle();
  }

  /** The leader's high watermark, once something it depends on has changed. */
  void settle() {
    if (!leads() || !cluster.enoughInSync(this)) {
      return;
    }
    long end = log.logEndOffset();
    long lowest = cluster.inSync(this).size() > 1 ? Math.min(end, followerEnd) : end;
    if (lowest > highWatermark) {
      highWatermark = lowest;
      cluster.history.committedUpTo(Math.min(lowest, cluster.history.bound(log)), log);
    }
  }

  // ---- replication

  /** What a leader tells a follower. */
  record Answer(
      Optional<EpochEnd> diverged, MemoryRecords records, long highWatermark, long logStart) {}

  /** A follower asks; nothing comes back if the two do not agree on the epoch. */
  Optional<Answer> answer(int epochOfFollower, long fromOffset, OptionalInt lastEpoch) {
    if (!leads() || epochOfFollower != epoch) {
      return Optional.empty();
    }
    if (fromOffset < log.localLogStartOffset()) {
      return Optional.of(new Answer(Optional.empty(), MemoryRecords.EMPTY, -1, 0));
    }
    if (lastEpoch.isPresent()) {
      Optional<EpochEnd> end = log.endOffsetForEpoch(lastEpoch.getAsInt());
      boolean same =
          end.isPresent()
              && end.get().leaderEpoch() == lastEpoch.getAsInt()
              && end.get().endOffset() >= fromOffset;
      if (!same && fromOffset > 0) {
        EpochEnd where = end.orElseGet(() -> new EpochEnd(-1, log.localLogStartOffset()));
        return Optional.of(
            new Answer(Optional.of(where), MemoryRecords.EMPTY, -1, log.logStartOffset()));
      }
    }
    if (fromOffset > log.logEndOffset()) {
      return Optional.of(
          new Answer(
              Optional.of(new EpochEnd(epoch, log.logEndOffset())), MemoryRecords.EMPTY, -1, 0));
    }
    followerEnd = fromOffset;
    fetchedNanos = cluster.time.nanos();
    // All that earlier leaders committed lies below the start of this epoch.
    if (fromOffset >= Math.max(highWatermark, epochStart)) {
      cluster.expand(this);
    }
    settle();
    MemoryRecords records = MemoryRecords.EMPTY;
    if (fromOffset < log.logEndOffset()) {
      try (LogRead read = log.read(fromOffset, FETCH_BYTES, log.logEndOffset(), true)) {
        records = read.toMemory();
      }
    }
    return Optional.of(new Answer(Optional.empty(), records, highWatermark, log.logStartOffset()));
  }

  /** One round of a follower. */
  void fetch(@Nullable SimulatedReplica from) {
    if (leads() || from == null) {
      return;
    }
    Optional<Answer> answered = from.answer(epoch, log.logEndOffset(), log.latestEpoch());
    if (answered.isEmpty()) {
      return;
    }
    Answer answer = answered.get();
    if (answer.diverged().isPresent()) {
      truncate(answer.diverged().get());
    } else if (answer.highWatermark() < 0 || answer.logStart() > log.logEndOffset()) {
      beginAtTier(from);
    } else {
      if (answer.records().sizeInBytes() > 0) {
        append(answer.records());
      }
      log.advanceLogStart(answer.logStart());
      highWatermark = Math.max(highWatermark, Math.min(answer.highWatermark(), log.logEndOffset()));
    }
  }

  /**
   * A log cut or begun within a batch has nothing of that batch, and its end lies behind the
   * batch's first offset: it takes the batch whole, again.
   */
  private void append(MemoryRecords records) {
    try {
      log.appendAsFollower(records, epoch);
    } catch (UnexpectedAppendOffsetException e) {
      long end = log.logEndOffset();
      if (e.firstOffset >= end || e.lastOffset < end) {
        throw e;
      }
      log.truncateTo(e.firstOffset);
      log.appendAsFollower(records, epoch);
    }
  }

  private void truncate(EpochEnd end) {
    long own =
        log.endOffsetForEpoch(end.leaderEpoch()).map(EpochEnd::endOffset).orElse(end.endOffset());
    long to = Math.min(end.endOffset(), own);
    log.truncateTo(to);
    highWatermark = Math.min(highWatermark, log.logEndOffset());
  }

  /** What the leader has no more is in the tier: begin where its local log does. */
  private void beginAtTier(SimulatedReplica from) {
    long start = from.log.localLogStartOffset();
    log.truncateFullyAndStartAt(start, from.log.logStartOffset());
    for (EpochStart known : from.log.epochs()) {
      if (known.startOffset() < start) {
        log.assignEpoch(known.leaderEpoch(), known.startOffset());
      }
    }
    highWatermark = start;
  }
}

package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.RewriteConfig;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.zip.CRC32C;
import org.apache.kafka.common.TopicIdPartition;

/**
 * A broker's tier over a store in memory, in virtual time, that can die and be born again. Process
 * crash model: what was written to files stays.
 */
final class TestTier {
  static final long HOUR_MS = 60 * 60 * 1000L;

  final TestTime time = new TestTime();
  final ObjectStore bucket = new MemoryObjectStore(Runnable::run, time);

  /** What is not this cluster's lies here. */
  final ObjectStore theirs = new MemoryObjectStore(Runnable::run, time);

  private final Path directory;
  private final Random random;
  private FaultPlan faults = FaultPlan.none();
  private TierConfig config;
  TierPipeline pipeline;
  long scratchRoom = Long.MAX_VALUE;
  Manifests manifests;
  SimpleMeterRegistry metrics;

  TestTier(Path directory, long seed) throws IOException {
    this(directory, seed, TierConfig.defaults());
  }

  TestTier(Path directory, long seed, TierConfig config) throws IOException {
    this.config = config;
    this.directory = directory;
    this.random = new Random(seed);
    begin();
  }

  void faults(FaultPlan plan) {
    faults = plan;
  }

  /** All calls from now on, none of which fails. */
  List<StoreCall> recordCalls() {
    List<StoreCall> calls = new ArrayList<>();
    faults =
        call -> {
          calls.add(call);
          return Fault.NONE;
        };
    return calls;
  }

  /** From the next process on. */
  TestTier rewriting(RewriteConfig rewrite) {
    TierConfig d = TierConfig.defaults();
    config =
        new TierConfig(
            d.upload(),
            d.gather(),
            10 * d.checkMs(),
            d.reclaimMs(),
            d.backoffMinMs(),
            d.backoffMaxMs(),
            d.segmentsPerCommit(),
            d.scrub(),
            () -> rewrite);
    return this;
  }

  /** The process dies at this instant, and another begins. */
  void crash() throws IOException {
    time.kill();
    begin();
  }

  private void begin() throws IOException {
    metrics = new SimpleMeterRegistry();
    ObjectStore store = new FaultyObjectStore(bucket, call -> faults.next(call), time);
    manifests =
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(time, random, time, metrics));
    pipeline =
        new TierPipeline(
            config,
            new TierServices(
                "cluster",
                store,
                owner -> owner.equals("cluster") ? store : theirs,
                manifests,
                UploadIntents.open(directory.resolve("intents")),
                Deletions.open(directory.resolve("deletions")),
                time,
                new Workbench(time, directory.resolve("rewriting"), () -> scratchRoom),
                time,
                time,
                random,
                Recompressor.none(),
                metrics));
    pipeline.start();
  }

  void join(TestHotLog log, int epoch, TierPolicy policy) {
    join(log, epoch, () -> policy);
  }

  /** With a policy that may change. */
  void join(TestHotLog log, int epoch, Supplier<TierPolicy> policy) {
    pipeline.join(new TierMember(log, log, log::end, epoch, policy));
  }

  /** With segments of another cluster to be copied. */
  void joinCopying(TestHotLog log, int epoch) {
    pipeline.join(
        new TierMember(
            log, log, log::end, epoch, TierPolicy::keepAll, Compactable.NEVER, () -> true));
  }

  void join(TestHotLog log, int epoch, TierPolicy policy, Compactable compaction) {
    pipeline.join(new TierMember(log, log, log::end, epoch, () -> policy, compaction));
  }

  /** Read past all faults, by one who writes nothing. */
  ManifestView view(TopicIdPartition partition) {
    Manifests reader =
        StoreManifests.open(
            bucket,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(
                time, new Random(0), Runnable::run, new SimpleMeterRegistry()));
    return now(reader.read(partition));
  }

  List<SegmentEntry> entries(TopicIdPartition partition) {
    return now(view(partition).from(0, 10_000));
  }

  /** The result of what needs no time. */
  <T> T now(CompletableFuture<T> future) {
    if (!future.isDone()) {
      time.advance(0);
    }
    assertThat(future).isDone();
    return future.join();
  }

  List<ObjectKey> segmentObjects() {
    return now(bucket.list("", "", 1000)).objects().stream()
        .map(ObjectInfo::key)
        .filter(key -> SegmentId.parse(key).isPresent())
        .toList();
  }

  /** Invariants 2, 3 and 4 for what is tiered of a log. */
  void check(TestHotLog log) {
    List<SegmentEntry> entries = entries(log.partition());
    long next = entries.isEmpty() ? 0 : entries.get(0).baseOffset();
    for (SegmentEntry entry : entries) {
      assertThat(entry.baseOffset()).isEqualTo(next);
      next = entry.endOffset();
      ByteBuffer object = now(bucket.get(entry.object(), 64 << 20));
      assertThat(object.remaining()).isEqualTo((int) entry.lengthBytes());
      CRC32C crc = new CRC32C();
      crc.update(object.duplicate());
      assertThat((int) crc.getValue()).isEqualTo(entry.crc32c());
      int tail = (int) SegmentFormat.tailPositionBytes(entry);
      assertThat(SegmentFormat.decode(entry, object.position(tail).slice())).isNotNull();
    }
    assertThat(log.localLogStartOffset()).isLessThanOrEqualTo(Math.max(next, log.logStartOffset()));
  }

  /** Everything in the bucket is named by one of these partitions' manifests. */
  void checkNoOrphans(TestHotLog... logs) {
    List<SegmentEntry> named = new ArrayList<>();
    for (TestHotLog log : logs) {
      named.addAll(entries(log.partition()));
    }
    Set<ObjectKey> keys = named.stream().map(SegmentEntry::object).collect(Collectors.toSet());
    assertThat(segmentObjects()).allMatch(keys::contains);
  }
}

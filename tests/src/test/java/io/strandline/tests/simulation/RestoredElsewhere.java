package io.strandline.tests.simulation;

import io.micrometer.core.instrument.composite.CompositeMeterRegistry;
import io.strandline.broker.log.LogDirectory;
import io.strandline.broker.log.LogRuntime;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.PartitionLog;
import io.strandline.broker.log.disk.NioDisk;
import io.strandline.broker.log.nursery.LogNursery;
import io.strandline.broker.restore.LogRefill;
import io.strandline.replay.Replay;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayRead;
import io.strandline.replay.ReplayRequest;
import io.strandline.tests.simulation.History.Written;
import io.strandline.tiering.TierMember;
import io.strandline.tiering.TierPipeline;
import io.strandline.tiering.TierServices;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.mount.Adoption;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.restore.TierTails;
import io.strandline.tiering.rewrite.Compactable;
import io.strandline.tiering.rewrite.CompactionPolicy;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.FaultPlan;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * Another cluster, in which the topic is restored once its own is gone (design D16): its broker
 * names what the bucket holds, goes on behind it, copies it or not, dies now and then, and in the
 * end deletes the topic. The bucket it came from stays as it was.
 */
final class RestoredElsewhere {
  private static final String CLUSTER = "elsewhere";
  private static final TopicIdPartition HERE = new TopicIdPartition(new Uuid(15, 16), 0, "orders");
  private static final int LIVES = 3;
  private static final int READ_BYTES = 4096;

  private final SimulatedCluster source;
  private final OtherBucket other;
  private final ManifestView origin;

  /** Where records of this cluster begin; where the other's tier was empty, at nought. */
  private final long seam;

  private final ObjectStore bucket;
  private final OtherBucket lookalikes;
  private final Path directory;
  private final boolean copies;
  private final Map<Long, Written> appended = new TreeMap<>();
  private final Manifests observer;
  private Life life;
  private boolean quiet;
  private boolean topicDeleted;
  private int reads;

  /**
   * @param bucket of the source, behind all faults; nobody writes there any more
   * @param origin its newest version
   */
  RestoredElsewhere(
      SimulatedCluster source, ObjectStore bucket, ManifestView origin, Path directory)
      throws IOException {
    this.source = source;
    this.other = new OtherBucket(source, bucket);
    this.origin = origin;
    this.seam = origin.segmentCount() == 0 ? 0 : origin.endOffset();
    this.bucket = new MemoryObjectStore(Runnable::run, source.time);
    // Of the same names as the other's, next to ours: not ours either.
    this.lookalikes = OtherBucket.lookalikes(source, this.bucket, other);
    this.directory = directory;
    this.copies = source.random.nextBoolean();
    this.observer = OtherBucket.manifests(this.bucket, source, Runnable::run);
    Files.createDirectories(directory);
    this.life = new Life(1);
  }

  /** From the first life to the topic's end. */
  void run(Misfortunes.Waiting waiting) throws IOException {
    source.trace.add("restored elsewhere" + (copies ? ", copied" : ""));
    life.begin();
    for (int i = 2; i <= LIVES; i++) {
      waiting.during(1_500 + source.random.nextInt(2_500));
      life.end();
      life = new Life(i);
      life.begin();
    }
    waiting.during(5_000);
    quiet = true;
    for (int i = 0; i < 20 && !settled(); i++) {
      waiting.during(3_000);
    }
    check();
    topicDeleted = true;
    life.delete();
    waiting.during(60_000);
    deleted();
    life.end();
  }

  /** All that was asked for has come about. */
  private boolean settled() {
    return life.leads() && reads > 0 && (!copies || named().stream().noneMatch(this::foreign));
  }

  private boolean foreign(SegmentEntry entry) {
    return !entry.ownerCluster().equals(CLUSTER);
  }

  private List<SegmentEntry> named() {
    return observer.read(HERE).join().from(0, Integer.MAX_VALUE).join();
  }

  // ---- what must hold

  private void check() {
    require(settled(), "Progress", "reads " + reads + ", named " + named());
    ManifestView view = observer.read(HERE).join();
    require(
        seam == 0 || view.startOffset() == origin.startOffset(),
        "RestoredIsSource",
        view.startOffset() + " instead of " + origin.startOffset());
    List<SegmentEntry> named = named();
    long at = named.isEmpty() ? view.startOffset() : named.get(0).baseOffset();
    require(at <= view.startOffset(), "SegmentsDense", "begins at " + at);
    Map<Long, Written> records = new TreeMap<>();
    for (SegmentEntry entry : named) {
      require(entry.baseOffset() == at, "SegmentsDense", entry + " does not begin at " + at);
      at = entry.endOffset();
      ObjectStore holder = foreign(entry) ? other.bucket() : bucket;
      int bytes = (int) entry.dataBytes();
      ByteBuffer data = holder.get(entry.object(), entry.positionBytes(), bytes).join();
      History.collect(records, MemoryRecords.readableRecords(data));
    }
    compare("restored", records, view.startOffset(), view.endOffset());
    require(at >= seam, "RestoredIsSource", "ends at " + at);
    others();
  }

  /** Up to where the source was tiered its records, from there on those appended here. */
  private void compare(String where, Map<Long, Written> records, long from, long to) {
    source.history.compareTiered(where, records, from, Math.min(to, seam), source.time.millis());
    for (long offset = Math.max(from, seam); offset < to; offset++) {
      boolean same =
          records.containsKey(offset) && records.get(offset).equals(appended.get(offset));
      require(same, "AcknowledgedReadable", where + " at " + offset + ": " + records.get(offset));
    }
  }

  private void others() {
    other.untouched();
    lookalikes.untouched();
  }

  private void deleted() {
    String own = SegmentId.prefix(HERE.topicId(), HERE.partition());
    List<ObjectKey> left =
        bucket.list(own, "", 1000).join().objects().stream()
            .map(ObjectInfo::key)
            .filter(key -> SegmentId.parse(key).isPresent())
            .toList();
    ManifestView view = observer.read(HERE).join();
    require(
        left.isEmpty(),
        "DeletedIsGone",
        left + ", deleted " + view.deleted() + ", retired " + view.retired(1000).join());
    others();
  }

  private void require(boolean holds, String check, String what) {
    if (!holds) {
      throw new AssertionError(check + ": elsewhere: " + what + "\n" + source.trace.tail());
    }
  }

  /** One process of the only broker. */
  private final class Life {
    private final SimulatedProcess process = new SimulatedProcess(source.time);
    private final int epoch;
    private final ObjectStore own;
    private final MountedStores stores;
    private final Manifests manifests;
    private final Replay replay;
    private final LogDirectory logs;
    private final UploadIntents intents;
    private @Nullable TierPipeline pipeline;
    private long readOffset;
    private boolean reading;

    Life(int epoch) throws IOException {
      this.epoch = epoch;
      this.own = faulty(bucket);
      this.stores = new MountedStores(own, List.of(faulty(other.watched())));
      stores.ownedBy(CLUSTER);
      this.manifests = OtherBucket.manifests(own, source, process);
      this.replay = SimulatedReader.replay(stores, manifests, process, source.time);
      this.logs =
          LogDirectory.open(
              directory.resolve("log"),
              new LogRuntime(
                  new NioDisk(),
                  source.time,
                  source.random,
                  Runnable::run,
                  process,
                  new CompositeMeterRegistry(),
                  LogSettings.defaults()));
      this.intents = UploadIntents.open(directory.resolve("intents"));
    }

    private ObjectStore faulty(ObjectStore store) {
      FaultPlan some = FaultPlan.random(source.random, 0.05, Duration.ofMillis(100));
      return new FaultyObjectStore(
          store, call -> quiet ? FaultPlan.none().next(call) : some.next(call), source.time);
    }

    boolean leads() {
      return pipeline != null;
    }

    void begin() {
      guarded(
          () -> {
            PartitionLog there = logs.openAll(name -> config()).get(HERE);
            identify(there);
          });
    }

    private LogConfig config() {
      Map<String, String> topic = new HashMap<>();
      topic.put(LogConfig.INTERNAL_SEGMENT_BYTES_CONFIG, "700");
      topic.put(TopicConfig.FILE_DELETE_DELAY_MS_CONFIG, "2000");
      return new LogConfig(topic);
    }

    private void guarded(SimulatedCluster.Action action) {
      try {
        if (process.alive()) {
          action.run();
        }
      } catch (Exception | AssertionError failure) {
        source.violated(failure);
      }
    }

    private void later(int ms, SimulatedCluster.Action action) {
      var unused = process.schedule(() -> guarded(action), ms, TimeUnit.MILLISECONDS);
    }

    private void identify(@Nullable PartitionLog there) {
      CompletableFuture<?> unused =
          stores
              .identify()
              .thenAcceptAsync(
                  all -> {
                    if (!all) {
                      later(200, () -> identify(there));
                    } else if (there != null) {
                      guarded(() -> lead(there));
                    } else {
                      adopt();
                    }
                  },
                  process);
    }

    /** As a leader does that finds neither a log nor a manifest: names, then begins. */
    private void adopt() {
      ObjectStore there = stores.other(SimulatedCluster.CLUSTER).orElseThrow();
      Manifests theirs = OtherBucket.manifests(there, source, process);
      LogNursery[] nursery = new LogNursery[1];
      CompletableFuture<?> unused =
          manifests
              .read(HERE)
              .thenCompose(Adoption::done)
              .thenCompose(done -> done ? CompletableFuture.completedFuture(null) : name(theirs))
              .thenComposeAsync(
                  named -> {
                    nursery[0] = logs.nursery(HERE);
                    return new LogRefill(
                            new TierTails(stores, manifests), manifests, replay, process)
                        .fill(nursery[0], OptionalInt.of(epoch), true);
                  },
                  process)
              .whenCompleteAsync((done, failure) -> adopted(nursery[0], failure), process);
    }

    private CompletableFuture<ManifestView> name(Manifests theirs) {
      return theirs
          .read(SimulatedCluster.PARTITION)
          .thenCompose(
              view ->
                  manifests
                      .acquire(HERE, epoch)
                      .thenCompose(writer -> Adoption.adopt(writer, view)));
    }

    private void adopted(@Nullable LogNursery nursery, @Nullable Throwable failure) {
      guarded(
          () -> {
            if (failure == null && nursery != null) {
              lead(logs.adopt(nursery, config()));
              return;
            }
            if (nursery != null) {
              logs.discard(nursery);
            }
            if (!(OtherBucket.cause(failure) instanceof StoreException)) {
              throw new AssertionError("Progress: elsewhere: " + failure, failure);
            }
            later(300, this::adopt);
          });
    }

    private void lead(PartitionLog its) throws IOException {
      require(its.logEndOffset() >= seam, "GoesOnAtTierEnd", its + " instead of " + seam);
      its.assignEpoch(epoch, its.logEndOffset());
      TierPipeline made =
          new TierPipeline(
              SimulatedCluster.tierConfig(),
              new TierServices(
                  CLUSTER,
                  own,
                  stores,
                  manifests,
                  intents,
                  Deletions.open(directory.resolve("deletions")),
                  process,
                  new Workbench(process, directory.resolve("rewriting")),
                  process,
                  source.time,
                  source.random,
                  Recompressor.none(),
                  new CompositeMeterRegistry()));
      made.start();
      made.join(
          new TierMember(
              its,
              its,
              its::logEndOffset,
              epoch,
              () -> new TierPolicy(-1, -1, 4_000, 2_500, false),
              new Compactable(() -> CompactionPolicy.never(1_500), Map::of),
              () -> copies));
      pipeline = made;
      append(its);
      maintain();
      read(its);
    }

    private void maintain() {
      logs.maintain(source.time.millis());
      later(500, this::maintain);
    }

    private void append(PartitionLog its) {
      if (quiet) {
        return;
      }
      SimpleRecord[] records = new SimpleRecord[1 + source.random.nextInt(3)];
      long nowMs = source.time.millis();
      long offset = its.logEndOffset();
      for (int i = 0; i < records.length; i++) {
        Written written = new Written("here-" + (offset + i), nowMs, "k" + i, false);
        appended.put(offset + i, written);
        records[i] = new SimpleRecord(nowMs, bytes(written.key()), bytes(written.value()));
      }
      MemoryRecords batch = MemoryRecords.withRecords(Compression.NONE, records);
      its.appendAsLeader(batch, epoch, AppendOrigin.CLIENT, nowMs);
      later(50 + source.random.nextInt(200), () -> append(its));
    }

    /** A consumer from the start on, of what lies in the tier. */
    private void read(PartitionLog its) {
      if (topicDeleted) {
        return;
      }
      later(50 + source.random.nextInt(200), () -> read(its));
      long end = its.localLogStartOffset();
      if (reading || its.logStartOffset() == end) {
        reads += reading ? 0 : 1; // nothing lies in the tier alone
        return;
      }
      reading = true;
      long from =
          readOffset >= end ? its.logStartOffset() : Math.max(readOffset, its.logStartOffset());
      CompletableFuture<?> unused =
          replay
              .read(new ReplayRequest(HERE, from, end, READ_BYTES, true, false, "reader"))
              .whenComplete(
                  (read, failure) ->
                      guarded(
                          () -> {
                            reading = false;
                            if (read != null) {
                              arrived(from, read);
                              read.close();
                            } else if (!topicDeleted && !later(failure)) {
                              throw new AssertionError("AcknowledgedReadable: elsewhere", failure);
                            }
                          }));
    }

    private static boolean later(@Nullable Throwable failure) {
      return OtherBucket.cause(failure) instanceof ReplayException told
          && told.kind() == ReplayException.Kind.UNAVAILABLE;
    }

    private void arrived(long from, ReplayRead read) {
      Map<Long, Written> records = new TreeMap<>();
      History.collect(records, SimulatedReader.copied(read));
      compare("read elsewhere", records, from, read.nextOffset());
      readOffset = read.nextOffset();
      reads++;
    }

    void delete() {
      TierPipeline there = pipeline;
      if (there != null) {
        CompletableFuture<?> unused = there.delete(HERE, epoch, true);
      }
    }

    void end() throws IOException {
      process.die();
      intents.close();
      logs.close();
    }
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.UTF_8);
  }
}

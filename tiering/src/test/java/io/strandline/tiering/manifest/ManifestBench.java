package io.strandline.tiering.manifest;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig.Fencing;
import io.strandline.tiering.manifest.index.ManifestKeys;
import io.strandline.tiering.manifest.index.Paging;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.memory.Fault;
import io.strandline.tiering.store.memory.FaultyObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledExecutorService;
import java.util.function.Function;
import java.util.function.Supplier;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;

/**
 * Manifests over a store in memory whose calls are counted, on one thread, with a clock by hand.
 */
final class ManifestBench {
  static final TopicIdPartition PARTITION = new TopicIdPartition(new Uuid(7, 11), 3, "orders");

  static final Duration KEPT = Duration.ofHours(24);
  static final Duration GRACE = Duration.ofHours(8);

  private static final Instant START = Instant.parse("2026-01-01T00:00:00Z");

  private Instant now = START;
  private final InstantSource clock = () -> now;
  private final Random random = new Random(1);
  private final Map<StoreCall.Operation, Integer> calls = new EnumMap<>(StoreCall.Operation.class);
  private final Fencing fencing;
  private final Paging paging;
  private final ObjectStore memory = new MemoryObjectStore(Runnable::run, clock);
  private Function<StoreCall, Fault> faults = call -> Fault.NONE;
  final ObjectStore store;

  ManifestBench(Fencing fencing) {
    this(fencing, Paging.USUAL);
  }

  ManifestBench(Fencing fencing, Paging paging) {
    this.fencing = fencing;
    this.paging = paging;
    ScheduledExecutorService never = null;
    this.store =
        new DecoratedObjectStore(new FaultyObjectStore(memory, call -> faults.apply(call), never)) {
          @Override
          protected <T> CompletableFuture<T> around(
              StoreCall call, Supplier<CompletableFuture<T>> action) {
            calls.merge(call.operation(), 1, Integer::sum);
            return action.get();
          }
        };
  }

  ManifestConfig config(Optional<Path> hints) {
    return new ManifestConfig(KEPT.toMillis(), 16, GRACE.toMillis(), 32L << 20, hints, fencing)
        .with(paging);
  }

  Manifests manifests() {
    return manifests(config(Optional.empty()));
  }

  Manifests manifests(ManifestConfig config) {
    return StoreManifests.open(
        store,
        config,
        new StoreManifests.Environment(clock, random, Runnable::run, new SimpleMeterRegistry()));
  }

  ManifestWriter writer(int leaderEpoch) {
    return manifests().acquire(PARTITION, leaderEpoch).join();
  }

  /** Of a broker whose clock is wrong. */
  ManifestWriter writer(int leaderEpoch, Duration ahead) {
    return StoreManifests.open(
            store,
            config(Optional.empty()),
            new StoreManifests.Environment(
                () -> now.plus(ahead), random, Runnable::run, new SimpleMeterRegistry()))
        .acquire(PARTITION, leaderEpoch)
        .join();
  }

  ManifestView view() {
    return manifests().read(PARTITION).join();
  }

  void pass(Duration time) {
    now = now.plus(time);
  }

  /** The next call of this kind goes wrong so. */
  void once(StoreCall.Operation operation, Fault.Kind kind) {
    faults =
        call -> {
          if (call.operation() != operation) {
            return Fault.NONE;
          }
          faults = other -> Fault.NONE;
          return Fault.of(kind);
        };
  }

  /** The conditional write that commits. */
  StoreCall.Operation commit(boolean first) {
    return fencing == Fencing.CHAIN || first
        ? StoreCall.Operation.PUT_IF_ABSENT
        : StoreCall.Operation.REPLACE;
  }

  /** How long a version's object is; not counted. */
  int headBytes(long version) {
    ObjectKey key =
        fencing == Fencing.CHAIN
            ? ManifestKeys.version(PARTITION, version)
            : ManifestKeys.head(PARTITION);
    return (int) memory.head(key).join().orElseThrow().lengthBytes();
  }

  Map<StoreCall.Operation, Integer> callsOf(Runnable action) {
    calls.clear();
    action.run();
    return new EnumMap<>(calls.isEmpty() ? Map.of(StoreCall.Operation.GET, 0) : calls);
  }

  List<ObjectKey> keys(String prefix) {
    List<ObjectKey> keys = new ArrayList<>();
    String after = "";
    ObjectStore.Page page;
    do {
      page = memory.list(prefix, after, 1000).join();
      page.objects().forEach(info -> keys.add(info.key()));
      after = keys.isEmpty() ? "" : keys.get(keys.size() - 1).value();
    } while (page.more());
    return keys;
  }

  static SegmentEntry entry(long baseOffset, long endOffset) {
    return new SegmentEntry(
        "cluster",
        PARTITION,
        ObjectKey.of("ab12/" + PARTITION.topicId() + "/3/s-" + baseOffset),
        0,
        1000,
        900,
        50,
        (int) baseOffset,
        baseOffset,
        endOffset,
        endOffset * 10,
        1,
        baseOffset % 3 == 0);
  }

  /** A segment of a compacted object, of which none is named twice. */
  static UploadedSegment compacted(long baseOffset, long endOffset, int serial) {
    return segment(baseOffset, endOffset, endOffset * 10, serial);
  }

  static UploadedSegment segment(long baseOffset, long endOffset, long maxTimestamp, int serial) {
    return new UploadedSegment(
        new SegmentEntry(
            "cluster",
            PARTITION,
            ObjectKey.of("ab12/" + PARTITION.topicId() + "/3/c-" + baseOffset + "-" + serial),
            0,
            700 + serial % 5,
            600,
            50,
            serial,
            baseOffset,
            endOffset,
            maxTimestamp,
            1,
            false));
  }

  /** Segments of ten offsets each. */
  static List<UploadedSegment> segments(long fromOffset, int count) {
    List<UploadedSegment> segments = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      segments.add(new UploadedSegment(entry(fromOffset + i * 10L, fromOffset + i * 10L + 10)));
    }
    return segments;
  }
}

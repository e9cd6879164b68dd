package io.strandline.replay;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkShelf;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.fetch.FetchConfig;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tiering.manifest.Compaction;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.Replacement;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.AbortedTransaction;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.EncodedSegment;
import io.strandline.tiering.segment.EpochStart;
import io.strandline.tiering.segment.SegmentEntry;
import io.strandline.tiering.segment.SegmentFormat;
import io.strandline.tiering.segment.SegmentId;
import io.strandline.tiering.segment.SegmentParts;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;

/** A tier in memory with real segments of real batches, whose origin is remembered. */
final class TestTier implements AutoCloseable {
  static final int CHUNK = 16 << 10;
  static final InstantSource CLOCK = InstantSource.fixed(Instant.ofEpochSecond(1_800_000_000));

  /** One batch as appended. */
  record Origin(long baseOffset, long lastOffset, ByteBuffer bytes, List<Long> timestamps) {
    int sizeBytes() {
      return bytes.remaining();
    }
  }

  final AtomicLong nanos = new AtomicLong();
  final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  final TopicIdPartition partition =
      new TopicIdPartition(new Uuid(77, 78), new TopicPartition("trips", 0));
  final RecordingStore store;
  final StoreManifests manifests;
  final ManifestWriter writer;
  final MemoryChunkCache cache;
  final TieredReplay replay;
  final FetchConfig config;
  final List<Origin> origin = new ArrayList<>();
  final List<SegmentEntry> segments = new ArrayList<>();
  final List<ReplayException.Damage> damages = new ArrayList<>();
  final Random random;
  final LongAdder looks = new LongAdder();
  private final Set<SegmentEntry> hidden = new HashSet<>();
  private final Path dir;
  private final Executor executor;
  private long nextOffset;
  private int gap;
  private int disorderMs = 60;
  private OptionalLong stampMs = OptionalLong.empty();

  /** Small figures in the proportions of the defaults: chunks of 16 KiB, 32 of them a request. */
  static FetchConfig small(long budgetBytes) {
    return new FetchConfig(
        CHUNK,
        32 * CHUNK,
        budgetBytes,
        64 * CHUNK,
        8 * CHUNK,
        5_000,
        1 << 20,
        30_000,
        BatchBounds.defaults());
  }

  TestTier(Path dir, long seed, Executor executor, FetchConfig config, long cacheBytes) {
    this.dir = dir;
    this.executor = executor;
    this.random = new Random(seed);
    this.config = config;
    this.store = new RecordingStore(new MemoryObjectStore(executor, CLOCK));
    this.manifests =
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(CLOCK, new Random(seed), executor, metrics));
    this.writer = manifests.acquire(partition, 7).join();
    CacheConfig cacheConfig =
        CacheConfig.defaults().withSlabBytes(config.chunkBytes()).withMemoryBytes(cacheBytes);
    this.cache = new MemoryChunkCache(cacheConfig, ChunkShelf.NONE, executor, metrics);
    this.replay = newReplay();
  }

  TieredReplay newReplay() {
    return new TieredReplay(
        config,
        new FetchEnvironment(
            OwnedStores.all(store),
            new HidingManifests(manifests, hidden, looks),
            cache,
            executor,
            nanos::get,
            metrics),
        (damaged, range) -> damages.add(range));
  }

  /** Appends a segment of about so many bytes and commits it. */
  SegmentEntry segment(int bytes, int recordBytesMax) {
    return segment(bytes, recordBytesMax, List.of());
  }

  SegmentEntry segment(int bytes, int recordBytesMax, List<AbortedTransaction> aborted) {
    try {
      Path file = Files.createTempFile(dir, "segment", ".log");
      long base = nextOffset;
      int size = 0;
      try (var out = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
        nextOffset += gap;
        while (size < bytes) {
          nextOffset += random.nextInt(gap + 1);
          Origin batch = batch(recordBytesMax);
          origin.add(batch);
          out.write(batch.bytes.duplicate());
          size += batch.sizeBytes();
        }
      }
      nextOffset += gap;
      SegmentEntry entry = put(file, size, base, aborted);
      Files.delete(file);
      return entry;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  /** From now on segments lack so many offsets at their start, within and at their end. */
  void gaps(int offsets) {
    gap = offsets;
  }

  /** From now on timestamps lie up to so much above what their offsets tell. */
  void disorder(int ms) {
    disorderMs = ms;
  }

  /** From now on the last record of each batch has this timestamp. */
  void stamp(long ms) {
    stampMs = OptionalLong.of(ms);
  }

  private SegmentEntry put(Path file, int size, long base, List<AbortedTransaction> aborted)
      throws IOException {
    SegmentEntry entry = store(file, size, base, nextOffset, aborted);
    writer.add(List.of(new UploadedSegment(entry))).join();
    segments.add(entry);
    return entry;
  }

  /** One segment in the place of others, with the batches that stay, as after compaction. */
  SegmentEntry replace(List<SegmentEntry> run, Predicate<Origin> stays) {
    try {
      long base = run.get(0).baseOffset();
      long end = run.get(run.size() - 1).endOffset();
      Path file = Files.createTempFile(dir, "rewritten", ".log");
      int size = 0;
      origin.removeIf(b -> b.baseOffset >= base && b.lastOffset < end && !stays.test(b));
      try (var out = Files.newByteChannel(file, StandardOpenOption.WRITE)) {
        for (Origin batch : origin) {
          if (batch.baseOffset >= base && batch.lastOffset < end) {
            out.write(batch.bytes.duplicate());
            size += batch.sizeBytes();
          }
        }
      }
      SegmentEntry entry = store(file, size, base, end, List.of());
      Files.delete(file);
      writer
          .replace(new Replacement(run, List.of(new UploadedSegment(entry)), Compaction.NONE))
          .join();
      int at = segments.indexOf(run.get(0));
      segments.removeAll(run);
      segments.add(at, entry);
      return entry;
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private SegmentEntry store(
      Path file, int size, long base, long end, List<AbortedTransaction> aborted)
      throws IOException {
    EncodedSegment encoded =
        SegmentFormat.encode(
            new SegmentParts(
                partition,
                file,
                size,
                base,
                end,
                aborted,
                List.of(new EpochStart(7, 0)),
                Optional.empty()));
    var key = SegmentId.of(partition, base, random.nextLong()).key();
    store.put(key, encoded.payload()).join();
    return encoded.entry("cluster", key);
  }

  private Origin batch(int recordBytesMax) {
    int count = 1 + random.nextInt(20);
    SimpleRecord[] records = new SimpleRecord[count];
    List<Long> timestamps = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      long drawn = 1_000_000L + nextOffset / 2 + random.nextInt(disorderMs);
      long timestamp = i == count - 1 ? stampMs.orElse(drawn) : drawn;
      byte[] value = new byte[random.nextInt(recordBytesMax)];
      random.nextBytes(value);
      timestamps.add(timestamp);
      records[i] = new SimpleRecord(timestamp, ("k" + i).getBytes(StandardCharsets.UTF_8), value);
    }
    Compression[] codecs = {
      Compression.NONE,
      Compression.gzip().build(),
      Compression.snappy().build(),
      Compression.lz4().build(),
      Compression.zstd().build()
    };
    MemoryRecords batch =
        MemoryRecords.withRecords(
            (byte) 2, nextOffset, codecs[random.nextInt(5)], TimestampType.CREATE_TIME, records);
    ByteBuffer buffer = batch.buffer().duplicate();
    buffer.putInt(12, 7);
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    Origin origin =
        new Origin(nextOffset, nextOffset + count - 1, ByteBuffer.wrap(bytes), timestamps);
    nextOffset += count;
    return origin;
  }

  long endOffset() {
    return nextOffset;
  }

  /** From now on manifests do not name it, as if its entry were lost. */
  void hide(SegmentEntry entry) {
    hidden.add(entry);
  }

  /** The newest version is no manifest any more. */
  void damageManifest() {
    String prefix = SegmentId.prefix(partition.topicId(), partition.partition());
    var newest = store.list(prefix + "manifest/v-", "", 1).join().objects().get(0).key();
    store.put(newest, Payload.of(ByteBuffer.allocate(40))).join();
  }

  ReplayRequest request(long offset, int maxBytes, String reader) {
    return new ReplayRequest(partition, offset, Long.MAX_VALUE, maxBytes, true, false, reader);
  }

  /** Index in the origin of the batch that covers or follows the offset. */
  int batchAt(long offset) {
    int low = 0;
    int high = origin.size();
    while (low < high) {
      int mid = (low + high) >>> 1;
      if (origin.get(mid).lastOffset < offset) {
        low = mid + 1;
      } else {
        high = mid;
      }
    }
    return low;
  }

  static byte[] bytesOf(ReplayRead read) {
    ByteBuffer all = ByteBuffer.allocate(read.sizeBytes());
    read.slices().forEach(slice -> all.put(slice.duplicate()));
    return all.array();
  }

  /** Whole batches from the one that covers the offset on, and nothing else. */
  void check(long offset, ReplayRead read) {
    ByteBuffer bytes = ByteBuffer.wrap(bytesOf(read));
    int at = batchAt(offset);
    long next = offset;
    while (bytes.hasRemaining()) {
      Origin expected = origin.get(at++);
      if (expected.sizeBytes() > bytes.remaining()) {
        throw new AssertionError("a cut batch at " + expected.baseOffset);
      }
      ByteBuffer got = bytes.slice(bytes.position(), expected.sizeBytes());
      bytes.position(bytes.position() + expected.sizeBytes());
      if (!got.equals(expected.bytes)) {
        throw new AssertionError("other bytes than appended at " + expected.baseOffset);
      }
      next = expected.lastOffset + 1;
    }
    if (read.nextOffset() != next) {
      throw new AssertionError("next offset " + read.nextOffset() + " and not " + next);
    }
  }

  @Override
  public void close() {
    replay.close();
    if (replay.reservedBytes() != 0) {
      throw new AssertionError(replay.reservedBytes() + " bytes stay reserved");
    }
    cache.close();
    if (cache.usage().usedBytes() != 0) {
      throw new AssertionError(cache.usage() + " after closing");
    }
  }
}

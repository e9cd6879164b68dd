package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.ChunkShelf;
import io.strandline.cache.memory.MemoryChunkCache;
import io.strandline.replay.ReplayException.Kind;
import io.strandline.replay.fetch.FetchEnvironment;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.mount.MountedStores;
import io.strandline.tiering.store.Payload;
import io.strandline.tiering.store.StoreOwner;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.upload.UploadedSegment;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.CompletionException;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A partition of one cluster whose manifest names the objects of another. */
class ForeignHistoryTest {
  private static final int CHUNK = TestTier.CHUNK;
  private static final TopicIdPartition HERE =
      new TopicIdPartition(new Uuid(5, 6), new TopicPartition("again", 0));

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  private final SerialExecutor executor = new SerialExecutor();
  private final MemoryObjectStore own = new MemoryObjectStore(executor, TestTier.CLOCK);

  @SuppressWarnings("NullAway.Init")
  private TestTier there;

  @SuppressWarnings("NullAway.Init")
  private MountedStores stores;

  @SuppressWarnings("NullAway.Init")
  private MemoryChunkCache cache;

  @SuppressWarnings("NullAway.Init")
  private TieredReplay replay;

  @BeforeEach
  void open() {
    there = new TestTier(dir, 7, executor, TestTier.small(96L * CHUNK), 192L * CHUNK);
    there.segment(12 * CHUNK, 3000);
    there.segment(3 * CHUNK, 100);
    there.segment(9 * CHUNK, 60_000);
    stores = new MountedStores(own, List.of(there.store));
    stores.ownedBy("here");
    StoreManifests manifests =
        StoreManifests.open(
            own,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(
                TestTier.CLOCK, new Random(8), executor, new SimpleMeterRegistry()));
    ManifestWriter writer = manifests.acquire(HERE, 3).join();
    writer.add(there.segments.stream().map(UploadedSegment::new).toList()).join();
    SimpleMeterRegistry meters = new SimpleMeterRegistry();
    cache =
        new MemoryChunkCache(
            CacheConfig.defaults().withSlabBytes(CHUNK).withMemoryBytes(192L * CHUNK),
            ChunkShelf.NONE,
            executor,
            meters);
    replay =
        new TieredReplay(
            TestTier.small(96L * CHUNK),
            new FetchEnvironment(stores, manifests, cache, executor, there.nanos::get, meters),
            (damaged, range) -> {});
  }

  @AfterEach
  void accountsBalance() {
    replay.close();
    assertThat(replay.reservedBytes()).isZero();
    cache.close();
    there.close();
  }

  private void identify() {
    there
        .store
        .put(
            StoreOwner.KEY,
            Payload.of(ByteBuffer.wrap("cluster\n".getBytes(StandardCharsets.UTF_8))))
        .join();
    assertThat(stores.identify().join()).isTrue();
  }

  private ReplayRequest request(long offset, int maxBytes) {
    return new ReplayRequest(HERE, offset, Long.MAX_VALUE, maxBytes, true, false, "r");
  }

  @Test
  void batchesAreWhatWasAppendedButForTheEpoch() {
    identify();
    for (int maxBytes : new int[] {1, CHUNK, 5 * CHUNK}) {
      long offset = 0;
      while (offset < there.endOffset()) {
        try (ReplayRead read = replay.read(request(offset, maxBytes)).join()) {
          byte[] bytes = TestTier.bytesOf(read);
          for (RecordBatch batch :
              MemoryRecords.readableRecords(ByteBuffer.wrap(bytes.clone())).batches()) {
            batch.ensureValid();
            assertThat(batch.partitionLeaderEpoch()).isZero();
          }
          inTheirEpoch(bytes);
          there.check(offset, new Read(List.of(ByteBuffer.wrap(bytes)), read));
          assertThat(read.nextOffset()).isGreaterThan(offset);
          offset = read.nextOffset();
        }
      }
    }
    assertThat(there.batchAt(there.endOffset())).isEqualTo(there.origin.size());
  }

  /** Puts back what the origin has, so that all other bytes can be compared. */
  private static void inTheirEpoch(byte[] batches) {
    ByteBuffer bytes = ByteBuffer.wrap(batches);
    for (int at = 0; at < batches.length; at += 12 + bytes.getInt(at + 8)) {
      bytes.putInt(at + 12, 7);
    }
  }

  @Test
  void aLookUpByTimeGivesTheSameEpoch() {
    identify();
    TestTier.Origin batch = there.origin.get(there.origin.size() / 2);
    long timestamp = batch.timestamps().get(0);
    Optional<Replay.TimestampedOffset> here =
        replay.firstReaching(HERE, 0, there.endOffset(), timestamp).join();
    Optional<Replay.TimestampedOffset> origin =
        there.replay.firstReaching(there.partition, 0, there.endOffset(), timestamp).join();
    assertThat(here.orElseThrow().offset()).isEqualTo(origin.orElseThrow().offset());
    assertThat(here.orElseThrow().leaderEpoch()).isZero();
    assertThat(origin.orElseThrow().leaderEpoch()).isEqualTo(7);
  }

  @Test
  void aStoreThatHasNotSaidWhoseItIsIsAwayAndNotEmpty() {
    assertThatThrownBy(() -> replay.read(request(0, CHUNK)).join())
        .isInstanceOf(CompletionException.class)
        .cause()
        .isInstanceOfSatisfying(
            ReplayException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNAVAILABLE));
    identify();
    replay.read(request(0, CHUNK)).join().close();
  }

  /** A read whose bytes were changed. */
  private record Read(List<ByteBuffer> slices, ReplayRead of) implements ReplayRead {
    @Override
    public int sizeBytes() {
      return of.sizeBytes();
    }

    @Override
    public long nextOffset() {
      return of.nextOffset();
    }

    @Override
    public List<AbortedRange> abortedTransactions() {
      return of.abortedTransactions();
    }

    @Override
    public boolean wanted() {
      return of.wanted();
    }

    @Override
    public void close() {}
  }
}

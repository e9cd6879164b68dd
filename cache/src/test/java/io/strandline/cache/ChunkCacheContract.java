package io.strandline.cache;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.disk.DiskChunks;
import io.strandline.cache.memory.CacheUsage;
import io.strandline.cache.memory.MemoryChunkCache;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What every arrangement of tiers keeps; after each test the accounts must balance. */
public abstract class ChunkCacheContract {
  protected static final int SLAB = 16 << 10;

  protected final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  protected final SerialExecutor executor = new SerialExecutor();
  protected MemoryChunkCache cache;
  protected final Map<ChunkKey, Integer> loads = new HashMap<>();

  protected abstract CacheConfig config() throws Exception;

  @BeforeEach
  void open() throws Exception {
    CacheConfig config = config();
    cache =
        new MemoryChunkCache(
            config, DiskChunks.open(config, executor, registry), executor, registry);
  }

  @AfterEach
  void accountsBalance() {
    CacheUsage usage = cache.usage();
    assertThat(usage.fills()).isZero();
    assertThat(usage.waiting()).isZero();
    // Nobody holds a reference any more: all that is used is what the cache itself holds.
    assertThat(usage.usedBytes()).isEqualTo(usage.heldBytes());
    cache.close();
    assertThat(cache.usage().usedBytes()).isZero();
  }

  static ByteBuffer bytesOf(ChunkKey key) {
    byte[] bytes = new byte[key.lengthBytes()];
    new Random(key.hashCode()).nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  protected CompletableFuture<?> load(ChunkKey key, ByteBuffer target) {
    loads.merge(key, 1, Integer::sum);
    target.put(bytesOf(key));
    return CompletableFuture.completedFuture(key);
  }

  protected static ChunkKey key(int n) {
    return new ChunkKey("object", (long) n * SLAB, SLAB);
  }

  protected void readAndCheck(ChunkKey key) {
    Chunk chunk = cache.get(key, this::load).join();
    assertThat(chunk.key()).isEqualTo(key);
    assertThat(chunk.bytes()).isEqualTo(bytesOf(key));
    chunk.release();
  }

  @Test
  void givesTheLoadersBytesEveryTime() {
    for (int i = 0; i < 200; i++) {
      readAndCheck(key(i % 17));
    }
  }

  @Test
  void randomLengthsAndOrdersGiveTheRightBytes() {
    long seed = 20260101;
    Random random = new Random(seed);
    List<Chunk> open = new ArrayList<>();
    for (int i = 0; i < 3000; i++) {
      int n = random.nextInt(64);
      ChunkKey key = new ChunkKey("object-" + n, n, 1 + new Random(n).nextInt(SLAB));
      CompletableFuture<Chunk> asked = cache.get(key, this::load);
      if (!asked.isDone()) {
        open.forEach(Chunk::release);
        open.clear();
      }
      Chunk chunk = asked.join();
      assertThat(chunk.bytes()).as("seed %s, step %s", seed, i).isEqualTo(bytesOf(key));
      open.add(chunk);
      assertThat(cache.usage().usedBytes()).isLessThanOrEqualTo(config0().memoryBytes());
      if (open.size() > 3) {
        open.remove(random.nextInt(open.size())).release();
      }
      if (random.nextInt(100) == 0) {
        cache.forget("object-" + random.nextInt(64));
      }
    }
    open.forEach(Chunk::release);
  }

  @Test
  void aChunkInUseSurvivesEvictionAndForgetting() {
    Chunk chunk = cache.get(key(0), this::load).join();
    for (int i = 1; i < 100; i++) {
      readAndCheck(key(i));
    }
    cache.forget("object");
    assertThat(chunk.bytes()).isEqualTo(bytesOf(key(0)));
    chunk.release();
  }

  @Test
  void aLoaderThatThrowsFailsItsCallersAndTheNextLoadsAgain() {
    for (Throwable thrown :
        List.of(new IllegalStateException("closed"), new LinkageError("of a test"))) {
      CompletableFuture<Chunk> asked =
          cache.get(
              key(0),
              (k, target) -> {
                throw sneaky(thrown);
              });
      assertThatThrownBy(asked::join).hasCause(thrown);
    }
    readAndCheck(key(0));
  }

  private static RuntimeException sneaky(Throwable thrown) {
    if (thrown instanceof Error error) {
      throw error;
    }
    return (RuntimeException) thrown;
  }

  @Test
  void manyCallersShareOneFillAndOneWhoLeavesDisturbsNobody() {
    CompletableFuture<ByteBuffer> source = new CompletableFuture<>();
    List<CompletableFuture<Chunk>> callers = new ArrayList<>();
    for (int i = 0; i < 10; i++) {
      callers.add(
          cache.get(
              key(0),
              (k, target) -> {
                loads.merge(k, 1, Integer::sum);
                return source.thenAccept(target::put);
              }));
    }
    callers.get(0).cancel(true);
    callers.get(7).cancel(false);
    assertThat(source.isDone()).isFalse();
    assertThat(cache.holds(key(0))).isTrue();
    source.complete(bytesOf(key(0)));
    for (int i = 0; i < 10; i++) {
      CompletableFuture<Chunk> caller = callers.get(i);
      if (i == 0 || i == 7) {
        assertThatThrownBy(caller::join).isInstanceOf(CancellationException.class);
      } else {
        assertThat(caller.join().bytes()).isEqualTo(bytesOf(key(0)));
        caller.join().release();
      }
    }
    assertThat(loads).containsEntry(key(0), 1);
  }

  @Test
  void aFillThatEveryoneLeftStillEnds() {
    CompletableFuture<ByteBuffer> source = new CompletableFuture<>();
    cache.get(key(0), (k, target) -> source.thenAccept(target::put)).cancel(true);
    source.complete(bytesOf(key(0)));
    assertThat(cache.holds(key(0))).isTrue();
  }

  @Test
  void aFailureGoesToAllWhoWaitAndIsForgotten() {
    CompletableFuture<ByteBuffer> source = new CompletableFuture<>();
    CompletableFuture<Chunk> first =
        cache.get(key(0), (k, target) -> source.thenAccept(target::put));
    CompletableFuture<Chunk> second =
        cache.get(key(0), (k, target) -> source.thenAccept(target::put));
    source.completeExceptionally(new IllegalStateException("no store"));
    assertThatThrownBy(first::join).hasRootCauseMessage("no store");
    assertThatThrownBy(second::join).hasRootCauseMessage("no store");
    readAndCheck(key(0));
  }

  @Test
  void theMemoryOfAFillIsNobodyElsesUntilItsLoaderHasEnded() {
    List<ByteBuffer> targets = new ArrayList<>();
    CompletableFuture<ByteBuffer> source = new CompletableFuture<>();
    CompletableFuture<Chunk> left =
        cache.get(
            key(0),
            (k, target) -> {
              targets.add(target);
              return source;
            });
    left.cancel(true);
    cache.forget("object");
    byte[] late = new byte[SLAB];
    for (int i = 1; i < 50; i++) {
      Chunk other = cache.get(key(i), this::load).join();
      targets.get(0).duplicate().put(late);
      assertThat(other.bytes()).isEqualTo(bytesOf(key(i)));
      other.release();
    }
    source.completeExceptionally(new IllegalStateException("no store"));
  }

  @Test
  void aLoaderThatThrowsOrGivesTooLittleFailsTheCallerOnly() {
    CompletableFuture<Chunk> thrown =
        cache.get(
            key(0),
            (k, target) -> {
              throw new IllegalStateException("thrown");
            });
    assertThatThrownBy(thrown::join).hasRootCauseMessage("thrown");
    CompletableFuture<Chunk> little =
        cache.get(
            key(0), (k, target) -> CompletableFuture.completedFuture(target.put(new byte[3])));
    assertThatThrownBy(little::join).hasRootCauseInstanceOf(IllegalStateException.class);
    readAndCheck(key(0));
  }

  @Test
  void whoFindsNoMemoryWaitsForARelease() {
    int slabs = (int) (config0().memoryBytes() / SLAB);
    List<Chunk> all = new ArrayList<>();
    for (int i = 0; i < slabs; i++) {
      all.add(cache.get(key(i), this::load).join());
    }
    CompletableFuture<Chunk> waits = cache.get(key(slabs), this::load);
    assertThat(waits).isNotDone();
    assertThat(loads).doesNotContainKey(key(slabs));
    assertThat(cache.usage().waiting()).isEqualTo(1);
    all.remove(0).release();
    assertThat(waits).isDone();
    waits.join().release();
    all.forEach(Chunk::release);
  }

  @Test
  void peekSeesMemoryOnlyAndOwnsAReference() {
    assertThat(cache.peek(key(0))).isEmpty();
    Chunk chunk = cache.get(key(0), this::load).join();
    Chunk peeked = cache.peek(key(0)).orElse(null);
    chunk.release();
    if (peeked != null) {
      assertThat(peeked.bytes()).isEqualTo(bytesOf(key(0)));
      peeked.release();
    }
  }

  @Test
  void aChunkLargerThanASlabIsRefused() {
    CompletableFuture<Chunk> refused = cache.get(new ChunkKey("o", 0, SLAB + 1), this::load);
    assertThatThrownBy(refused::join).hasRootCauseInstanceOf(IllegalArgumentException.class);
  }

  @Test
  void usingAChunkAfterItsLastReleaseIsAProgrammersError() {
    Chunk chunk = cache.get(key(0), this::load).join();
    cache.forget("object");
    chunk.release();
    assertThatThrownBy(chunk::retain).isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(chunk::release).isInstanceOf(IllegalStateException.class);
  }

  private CacheConfig config0() {
    try {
      return config();
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }
}

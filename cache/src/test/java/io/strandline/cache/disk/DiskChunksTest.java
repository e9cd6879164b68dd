package io.strandline.cache.disk;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkShelf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.HashMap;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DiskChunksTest {
  private static final int SLAB = 8192;
  private static final int SLOTS = 32;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  private final SimpleMeterRegistry registry = new SimpleMeterRegistry();
  private ChunkShelf shelf = ChunkShelf.NONE;

  @AfterEach
  void close() {
    shelf.close();
  }

  private void open() {
    shelf.close();
    CacheConfig config =
        CacheConfig.defaults().withSlabBytes(SLAB).withDisk(dir, (long) SLOTS * (SLAB + 1024));
    shelf = DiskChunks.open(config, Runnable::run, registry);
  }

  /** A chunk that counts what is still referenced. */
  private static class HeapChunk implements Chunk {
    private final ChunkKey key;
    private int references = 1;

    HeapChunk(ChunkKey key) {
      this.key = key;
    }

    @Override
    public ChunkKey key() {
      return key;
    }

    @Override
    public ByteBuffer bytes() {
      byte[] bytes = new byte[key.lengthBytes()];
      new Random(key.hashCode()).nextBytes(bytes);
      return ByteBuffer.wrap(bytes).asReadOnlyBuffer();
    }

    @Override
    public Chunk retain() {
      references++;
      return this;
    }

    @Override
    public void release() {
      references--;
    }
  }

  private static ChunkKey key(String object, int n) {
    return new ChunkKey(object, (long) n * SLAB, SLAB - n % 7);
  }

  private void offer(ChunkKey key) {
    HeapChunk chunk = new HeapChunk(key);
    shelf.offer(chunk);
    assertThat(chunk.references).isEqualTo(1);
  }

  private boolean readsBack(ChunkKey key) {
    ByteBuffer target = ByteBuffer.allocate(key.lengthBytes());
    boolean found = shelf.read(key, target).join();
    if (found) {
      assertThat(target.flip()).isEqualTo(new HeapChunk(key).bytes());
    }
    return found;
  }

  private double count(String name) {
    return registry.get(name).counter().count();
  }

  @Test
  void aRestartFindsWhatWasWritten() {
    open();
    for (int i = 0; i < 20; i++) {
      offer(key("a", i));
    }
    open();
    for (int i = 0; i < 20; i++) {
      assertThat(readsBack(key("a", i))).isTrue();
    }
    assertThat(shelf.holds(key("a", 20))).isFalse();
  }

  @Test
  void aScanPastAFullDiskWritesNothing() {
    open();
    for (int i = 0; i < SLOTS; i++) {
      offer(key("hot", i));
    }
    double before = count("strandline.cache.disk.written");
    for (int i = 0; i < 20 * SLOTS; i++) {
      offer(key("scan", i));
    }
    assertThat(count("strandline.cache.disk.written")).isEqualTo(before);
    for (int i = 0; i < SLOTS; i++) {
      assertThat(readsBack(key("hot", i))).isTrue();
    }
  }

  @Test
  void whatIsSeenTwiceTakesThePlaceOfWhatWasNotReadLately() {
    open();
    for (int i = 0; i < SLOTS; i++) {
      offer(key("old", i));
    }
    assertThat(readsBack(key("old", 0))).isTrue();
    offer(key("new", 1));
    assertThat(shelf.holds(key("new", 1))).isFalse();
    offer(key("new", 1));
    assertThat(readsBack(key("new", 1))).isTrue();
    assertThat(shelf.holds(key("old", 0))).isTrue();
    assertThat(shelf.holds(key("old", 1))).isFalse();
  }

  @Test
  void aFlippedBitIsAMissAndTheSlotIsUsedAgain() throws IOException {
    open();
    offer(key("a", 0));
    Path file = onlyFile();
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
      long slots = channel.size() - (long) SLOTS * SLAB;
      channel.write(ByteBuffer.wrap(new byte[] {1, 2, 3, 4}), slots + 100);
    }
    assertThat(readsBack(key("a", 0))).isFalse();
    assertThat(count("strandline.cache.disk.corrupt")).isEqualTo(1);
    offer(key("a", 0));
    assertThat(readsBack(key("a", 0))).isTrue();
  }

  @Test
  void aDamagedTableLosesOnlyWhatItNamed() throws IOException {
    open();
    offer(key("a", 0));
    offer(key("a", 1));
    shelf.close();
    try (FileChannel channel = FileChannel.open(onlyFile(), StandardOpenOption.WRITE)) {
      channel.write(ByteBuffer.wrap(new byte[] {9}), SlabFile.HEAD_BYTES + 20L);
    }
    open();
    assertThat(Stream.of(key("a", 0), key("a", 1)).filter(shelf::holds)).hasSize(1);
  }

  /** There may be a million of them: names of their own would be most of what a start takes. */
  @Test
  void chunksOfOneObjectShareItsNameAfterAStart() throws IOException {
    open();
    Stream.of(key("a", 0), key("b", 0), key("a", 1)).forEach(this::offer);
    shelf.close();
    Map<String, String> names = new HashMap<>();
    try (SlabFile file = SlabFile.open(onlyFile(), SLAB, SLOTS)) {
      assertThat(file.headers(names).values())
          .hasSize(3)
          .allSatisfy(
              header -> {
                String object = header.key().object();
                assertThat(object).isSameAs(names.get(object));
              });
    }
    assertThat(names).hasSize(2);
  }

  @Test
  void aDiskThatFailsSwitchesTheTierOff() throws IOException {
    open();
    offer(key("a", 0));
    try (FileChannel channel = FileChannel.open(onlyFile(), StandardOpenOption.WRITE)) {
      channel.truncate(SlabFile.HEAD_BYTES);
    }
    assertThat(readsBack(key("a", 0))).isFalse();
    assertThat(count("strandline.cache.disk.errors")).isEqualTo(1);
    assertThat(registry.get("strandline.cache.disk.online").gauge().value()).isZero();
    offer(key("a", 1));
    assertThat(readsBack(key("a", 1))).isFalse();
    assertThat(count("strandline.cache.disk.errors")).isEqualTo(1);
  }

  /** As many as there are slots: none is lost, and no chunk is refused for ever. */
  @Test
  void anErrorWhileAChunkIsWrittenCostsItOnlyThisTime() {
    open();
    for (int i = 0; i < SLOTS; i++) {
      ChunkKey key = key("a", i);
      HeapChunk broken =
          new HeapChunk(key) {
            @Override
            public ByteBuffer bytes() {
              throw new LinkageError("of a test");
            }
          };
      assertThatThrownBy(() -> shelf.offer(broken)).isInstanceOf(LinkageError.class);
      assertThat(broken.references).isEqualTo(1);
    }
    for (int i = 0; i < SLOTS; i++) {
      offer(key("a", i));
      assertThat(readsBack(key("a", i))).isTrue();
    }
  }

  @Test
  void aDirectoryThatCannotBeMadeIsATierThatIsOff() throws IOException {
    Path file = Files.createFile(dir.resolve("a-file"));
    CacheConfig config = CacheConfig.defaults().withDisk(file, 64 << 20);
    shelf = DiskChunks.open(config, Runnable::run, registry);
    offer(key("a", 1));
    assertThat(readsBack(key("a", 1))).isFalse();
  }

  @Test
  void aForgottenObjectStaysForgotten() {
    open();
    offer(key("a", 0));
    offer(key("b", 0));
    shelf.forget("a");
    open();
    assertThat(readsBack(key("a", 0))).isFalse();
    assertThat(readsBack(key("b", 0))).isTrue();
  }

  @Test
  void anotherShapeStartsEmpty() {
    open();
    offer(key("a", 0));
    shelf.close();
    CacheConfig config =
        CacheConfig.defaults().withSlabBytes(2 * SLAB).withDisk(dir, 8L * (2 * SLAB + 1024));
    shelf = DiskChunks.open(config, Runnable::run, registry);
    assertThat(shelf.holds(key("a", 0))).isFalse();
    offer(key("a", 1));
    assertThat(readsBack(key("a", 1))).isTrue();
  }

  private Path onlyFile() throws IOException {
    try (Stream<Path> files = Files.list(dir)) {
      return files.filter(f -> f.toString().endsWith(".slab")).findFirst().orElseThrow();
    }
  }
}

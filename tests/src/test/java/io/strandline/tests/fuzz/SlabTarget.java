package io.strandline.tests.fuzz;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkShelf;
import io.strandline.cache.disk.DiskChunks;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/** A slab file of the cache on disk: whatever it holds, a read gives the right bytes or a miss. */
final class SlabTarget implements FuzzTarget {
  private static final int SLAB_BYTES = 4096;
  private static final int HEAD_BYTES = 4096;
  private static final int SLOTS = 6;
  private static final int HEADER_BYTES = 1024;
  private static final String FILE = "chunks-0.slab";

  private final Path directory;
  private final CacheConfig config;
  private final List<ChunkKey> keys = new ArrayList<>();
  private final byte[] file;

  SlabTarget(Path directory) throws IOException {
    this.directory = directory;
    long diskBytes = (long) SLOTS * (SLAB_BYTES + HEADER_BYTES);
    this.config = new CacheConfig(SLAB_BYTES, diskBytes, SLAB_BYTES, Optional.of(directory));
    try (ChunkShelf shelf = open()) {
      for (int i = 0; i < SLOTS - 1; i++) {
        ChunkKey key = new ChunkKey("ab12/object-" + i, i * 5_000L, 100 + 700 * i);
        keys.add(key);
        shelf.offer(new Given(key));
      }
    }
    file = Files.readAllBytes(directory.resolve(FILE));
  }

  private ChunkShelf open() {
    return DiskChunks.open(config, Runnable::run, new SimpleMeterRegistry());
  }

  @Override
  public String name() {
    return "slab";
  }

  /** Whether only what is damaged by chance lies in it, as opposed to lies with a sum; the file. */
  @Override
  public byte[] input(Random chance) {
    byte[] bytes = file.clone();
    boolean mended = chance.nextBoolean();
    for (int slot = 0; slot < SLOTS; slot++) {
      int at = HEAD_BYTES + slot * HEADER_BYTES;
      if (chance.nextInt(3) == 0) {
        Mutations.inPlace(bytes, at, at + 64, chance);
      }
      if (mended) {
        int end = at + 24 + Math.min(1000, ByteBuffer.wrap(bytes).getShort(at + 6) & 0x7fff);
        Crc.mend(bytes, at + 4, end, at);
      }
    }
    if (!mended) {
      Mutations.inPlace(bytes, 0, bytes.length, chance);
    }
    byte[] all = new byte[bytes.length + 1];
    all[0] = (byte) (mended ? 1 : 0);
    System.arraycopy(bytes, 0, all, 1, bytes.length);
    return all;
  }

  @Override
  public void decode(byte[] input) throws IOException {
    byte[] bytes = new byte[input.length - 1];
    System.arraycopy(input, 1, bytes, 0, bytes.length);
    Files.write(directory.resolve(FILE), bytes);
    try (ChunkShelf shelf = open()) {
      for (ChunkKey key : keys) {
        ByteBuffer target = ByteBuffer.allocate(key.lengthBytes());
        boolean found = shelf.read(key, target).join();
        if (found && input[0] == 0 && !target.flip().equals(content(key))) {
          throw new AssertionError("wrong bytes of " + key);
        }
      }
      shelf.offer(new Given(new ChunkKey("new", 0, SLAB_BYTES)));
      shelf.forget(keys.get(0).object());
      if (!((DiskChunks) shelf).online()) {
        throw new AssertionError("switched off by what the file holds");
      }
    }
  }

  private static ByteBuffer content(ChunkKey key) {
    byte[] bytes = new byte[key.lengthBytes()];
    new Random(key.positionBytes()).nextBytes(bytes);
    return ByteBuffer.wrap(bytes);
  }

  /** A chunk whose bytes follow from its key. */
  private record Given(ChunkKey key) implements Chunk {
    @Override
    public ByteBuffer bytes() {
      return content(key);
    }

    @Override
    public Chunk retain() {
      return this;
    }

    @Override
    public void release() {}
  }

  @Override
  public boolean promises(Throwable failure) {
    return false;
  }

  @Override
  public Allowance allowance() {
    return new Allowance(16, 4 << 20);
  }
}

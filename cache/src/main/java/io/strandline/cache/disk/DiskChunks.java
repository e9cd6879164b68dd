package io.strandline.cache.disk;

import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.cache.CacheConfig;
import io.strandline.cache.Chunk;
import io.strandline.cache.ChunkKey;
import io.strandline.cache.ChunkShelf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.Semaphore;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Chunks in slab files on a local disk.
 *
 * <p>Invariants:
 *
 * <ol>
 *   <li>A read gives the right bytes or a miss: checksums are verified, and a slot is not reused
 *       while it is read.
 *   <li>After any disk error the tier is off until the next start: all reads are misses, nothing is
 *       written. No caller ever sees the error.
 *   <li>At most {@value #WRITES_PENDING_MAX} chunks are referenced for writing; more are not
 *       admitted.
 * </ol>
 *
 * <p>Admission: while there are empty slots, everything; then only what {@link SecondSight} has
 * seen before. Eviction: least recently read. Index: in memory, rebuilt from the files' tables.
 *
 * <p>All disk I/O runs on the executor given, opening included: until it is done the tier is empty.
 */
public final class DiskChunks implements ChunkShelf {
  private static final Logger LOG = LoggerFactory.getLogger(DiskChunks.class);
  private static final int WRITES_PENDING_MAX = 16;
  private static final int SLOTS_PER_FILE = 1024;

  /**
   * What a slot that is taken costs at most, names aside: its entry, 40 bytes, key, 32, and place,
   * 40, and the tables.
   */
  private static final long SLOT_HEAP_BYTES = 160;

  private static final int HEAP_SHARE = 4;

  private final Path directory;
  private final int slabBytes;
  private final long slots;
  private final Executor disk;
  private final DiskMeters meters;
  private final SlotIndex index;
  private final SecondSight secondSight;
  private final Semaphore writes = new Semaphore(WRITES_PENDING_MAX);
  private final List<SlabFile> files = new ArrayList<>();
  private @Nullable FileChannel lockFile;
  private volatile boolean online;
  private volatile boolean closed;

  private DiskChunks(CacheConfig config, Path directory, Executor disk, MeterRegistry registry) {
    this.directory = directory;
    this.slabBytes = config.slabBytes();
    this.slots = config.diskBytes() / (slabBytes + SlotHeader.BYTES);
    this.disk = disk;
    this.index = new SlotIndex();
    this.secondSight = new SecondSight(slots);
    this.meters = new DiskMeters(registry, this);
  }

  /**
   * The disk tier of this config, {@link ChunkShelf#NONE} if it has none. Opens in the background.
   *
   * @param disk may be blocked by disk I/O
   */
  public static ChunkShelf open(CacheConfig config, Executor disk, MeterRegistry registry) {
    if (config.diskBytes() < config.slabBytes() + SlotHeader.BYTES) {
      return ChunkShelf.NONE;
    }
    DiskChunks chunks = new DiskChunks(config, config.directory().orElseThrow(), disk, registry);
    disk.execute(chunks::openFiles);
    return chunks;
  }

  @Override
  public boolean holds(ChunkKey key) {
    return online && index.holds(key);
  }

  @Override
  public CompletableFuture<Boolean> read(ChunkKey key, ByteBuffer target) {
    Slot slot = online ? index.pin(key) : null;
    if (slot == null) {
      return CompletableFuture.completedFuture(false);
    }
    CompletableFuture<Boolean> found = new CompletableFuture<>();
    boolean begun =
        execute(
            () -> {
              boolean there = false;
              try {
                there = readPinned(key, slot, target);
              } finally {
                found.complete(there); // after an Error too: somebody waits
              }
            });
    if (!begun) {
      index.unpin(slot);
      found.complete(false);
    }
    return found;
  }

  @Override
  public void offer(Chunk chunk) {
    ChunkKey key = chunk.key();
    if (!online || key.lengthBytes() > slabBytes || index.holds(key)) {
      return;
    }
    if ((!secondSight.again(key) && !index.hasEmpty()) || !writes.tryAcquire()) {
      meters.refused();
      return;
    }
    chunk.retain();
    if (!execute(() -> write(chunk))) {
      chunk.release();
      writes.release();
    }
  }

  @Override
  public void forget(String object) {
    List<Slot> gone = index.forget(object);
    if (!gone.isEmpty()) {
      execute(() -> gone.forEach(this::erase));
    }
  }

  /** Whether the tier works. */
  public boolean online() {
    return online;
  }

  long usedBytes() {
    return index.usedBytes();
  }

  @Override
  public void close() {
    closed = true;
    online = false;
    if (!execute(this::closeFiles)) {
      closeFiles();
    }
  }

  private boolean readPinned(ChunkKey key, Slot slot, ByteBuffer target) {
    int start = target.position();
    try {
      slot.file().read(slot.number(), target);
      if (SlotHeader.checksum(target.duplicate().flip().position(start)) == slot.crc32c()) {
        return true;
      }
      meters.corrupt();
      LOG.atWarn().addKeyValue("key", key).log("a cached chunk failed its checksum");
      index.remove(key, slot);
      return false;
    } catch (IOException | RuntimeException e) {
      switchOff(e);
      return false;
    } finally {
      index.unpin(slot);
    }
  }

  private void write(Chunk chunk) {
    @Nullable Slot taken = null;
    boolean written = false;
    try {
      taken = online ? index.take(chunk.key()) : null;
      if (taken == null) {
        return;
      }
      if (taken.evicted()) {
        meters.evicted();
      }
      int crc32c = SlotHeader.checksum(chunk.bytes());
      ByteBuffer header = new SlotHeader(chunk.key(), crc32c).encode();
      if (header == null) {
        return;
      }
      taken.file().write(taken.number(), header, chunk.bytes());
      meters.written(chunk.key().lengthBytes());
      index.put(chunk.key(), taken.holding(chunk.key().lengthBytes(), crc32c));
      written = true;
    } catch (IOException | RuntimeException e) {
      switchOff(e);
    } finally {
      if (taken != null && !written) {
        index.giveBack(chunk.key(), taken);
      }
      chunk.release();
      writes.release();
    }
  }

  private void erase(Slot slot) {
    try {
      if (online) {
        slot.file().erase(slot.number());
        index.addEmpty(slot);
      }
    } catch (IOException e) {
      switchOff(e);
    }
  }

  private void openFiles() {
    try {
      Files.createDirectories(directory);
      lock();
      warnOfHeap(Runtime.getRuntime().maxMemory());
      Map<String, String> names = new HashMap<>();
      int count = Math.toIntExact((slots + SLOTS_PER_FILE - 1) / SLOTS_PER_FILE);
      for (int i = 0; i < count; i++) {
        int slotsHere = (int) Math.min(SLOTS_PER_FILE, slots - (long) i * SLOTS_PER_FILE);
        SlabFile file = SlabFile.open(pathOf(i), slabBytes, slotsHere);
        synchronized (files) {
          files.add(file);
        }
        load(file, names);
      }
      for (int i = count; Files.deleteIfExists(pathOf(i)); i++) {}
      online = !closed;
      LOG.atInfo()
          .addKeyValue("path", directory)
          .addKeyValue("count", index.count())
          .addKeyValue("bytes", index.usedBytes())
          .log("opened the chunk cache on disk");
    } catch (IOException | RuntimeException e) {
      switchOff(e);
    }
  }

  private void load(SlabFile file, Map<String, String> names) throws IOException {
    Map<Integer, SlotHeader> headers = file.headers(names);
    for (int number = 0; number < file.slots(); number++) {
      SlotHeader header = headers.get(number);
      Slot empty = Slot.empty(file, number);
      if (header == null || index.holds(header.key())) {
        index.addEmpty(empty);
      } else {
        index.put(header.key(), empty.holding(header.key().lengthBytes(), header.crc32c()));
      }
    }
  }

  /** Too little heap would show only once the cache has filled, and at each start from then on. */
  private void warnOfHeap(long heapBytes) {
    long indexBytes = slots * SLOT_HEAP_BYTES;
    if (indexBytes > heapBytes / HEAP_SHARE) {
      LOG.atWarn()
          .addKeyValue("path", directory)
          .addKeyValue("bytes", indexBytes)
          .addKeyValue("value", heapBytes)
          .log("a full chunk cache on disk needs over a quarter of the heap for its index");
    }
  }

  private void lock() throws IOException {
    lockFile =
        FileChannel.open(
            directory.resolve(".lock"), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock lock = lockFile.tryLock();
    if (lock == null) {
      throw new IOException("another process uses " + directory);
    }
  }

  private Path pathOf(int file) {
    return directory.resolve("chunks-" + file + ".slab");
  }

  private void switchOff(Exception e) {
    if (!closed) {
      boolean was = online;
      online = false;
      meters.error();
      LOG.atError()
          .addKeyValue("path", directory)
          .addKeyValue("state", was ? "switched off" : "off")
          .setCause(e)
          .log("the chunk cache on disk failed");
    }
  }

  private void closeFiles() {
    synchronized (files) {
      for (SlabFile file : files) {
        closeQuietly(file);
      }
      files.clear();
    }
    if (lockFile != null) {
      closeQuietly(lockFile);
    }
  }

  private void closeQuietly(AutoCloseable file) {
    try {
      file.close();
    } catch (Exception e) {
      LOG.atWarn().addKeyValue("path", directory).setCause(e).log("could not close a slab file");
    }
  }

  private boolean execute(Runnable task) {
    try {
      disk.execute(task);
      return true;
    } catch (RejectedExecutionException e) {
      return false;
    }
  }
}

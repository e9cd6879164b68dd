package io.strandline.cache;

import java.nio.file.Path;
import java.util.Optional;

/**
 * How much of what the cache may use.
 *
 * @param memoryBytes all memory for chunks, held, being filled or evicted but still read; rounded
 *     down to whole slabs, at least one; allocated outside the heap when first needed
 * @param diskBytes room for chunks on disk; 0 switches the disk tier off
 * @param slabBytes the largest chunk either tier takes, a power of two; one slot on disk
 * @param directory where the slab files lie; used by one process at a time; absent without a disk
 *     tier
 */
public record CacheConfig(
    long memoryBytes, long diskBytes, int slabBytes, Optional<Path> directory) {
  private static final int SLAB_BYTES_MIN = 4096;

  public CacheConfig {
    if (slabBytes < SLAB_BYTES_MIN || Integer.bitCount(slabBytes) != 1) {
      throw new IllegalArgumentException(
          "slab bytes must be a power of two of at least " + SLAB_BYTES_MIN + ": " + slabBytes);
    }
    if (memoryBytes < slabBytes) {
      throw new IllegalArgumentException(
          "cache memory of " + memoryBytes + " bytes holds no slab of " + slabBytes);
    }
    if (diskBytes < 0 || (diskBytes > 0 && directory.isEmpty())) {
      throw new IllegalArgumentException("a disk tier needs a directory and a size: " + diskBytes);
    }
  }

  /** Slabs of 1 MiB, 256 MiB of memory, no disk. The broker sizes memory by the machine. */
  public static CacheConfig defaults() {
    return new CacheConfig(256L << 20, 0, 1 << 20, Optional.empty());
  }

  public CacheConfig withMemoryBytes(long bytes) {
    return new CacheConfig(bytes, diskBytes, slabBytes, directory);
  }

  public CacheConfig withSlabBytes(int bytes) {
    return new CacheConfig(memoryBytes, diskBytes, bytes, directory);
  }

  public CacheConfig withDisk(Path dir, long bytes) {
    return new CacheConfig(memoryBytes, bytes, slabBytes, Optional.of(dir));
  }
}

package io.strandline.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Memory for what is on its way and little else. */
class DiskOnlyTest extends ChunkCacheContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @Override
  protected CacheConfig config() {
    return CacheConfig.defaults()
        .withSlabBytes(SLAB)
        .withMemoryBytes(4L * SLAB)
        .withDisk(dir, 64L * (SLAB + 1024));
  }

  @Test
  void whatFitsOnDiskIsLoadedOnce() {
    for (int round = 0; round < 3; round++) {
      for (int i = 0; i < 60; i++) {
        readAndCheck(key(i));
      }
    }
    assertThat(loads.values()).containsOnly(1);
  }
}

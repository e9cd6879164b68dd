package io.strandline.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BothTiersTest extends ChunkCacheContract {
  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @Override
  protected CacheConfig config() {
    return CacheConfig.defaults()
        .withSlabBytes(SLAB)
        .withMemoryBytes(16L * SLAB)
        .withDisk(dir, 64L * (SLAB + 1024));
  }

  @Test
  void metricsTellTheTiersApart() {
    readAndCheck(key(0));
    readAndCheck(key(0));
    for (int i = 1; i < 40; i++) {
      readAndCheck(key(i));
    }
    for (int i = 1; i < 40; i++) {
      readAndCheck(key(i));
    }
    double memory = registry.get("strandline.cache.hits").tag("tier", "memory").counter().count();
    double disk = registry.get("strandline.cache.hits").tag("tier", "disk").counter().count();
    assertThat(registry.get("strandline.cache.misses").counter().count()).isEqualTo(40);
    assertThat(memory).isPositive();
    assertThat(disk).isPositive();
    assertThat(memory + disk).isEqualTo(40);
  }
}

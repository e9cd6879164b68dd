package io.strandline.cache;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Optional;
import org.junit.jupiter.api.Test;

class MemoryOnlyTest extends ChunkCacheContract {
  @Override
  protected CacheConfig config() {
    return new CacheConfig(16L * SLAB, 0, SLAB, Optional.empty());
  }

  @Test
  void whatIsReadOftenSurvivesAScan() {
    for (int round = 0; round < 20; round++) {
      for (int i = 0; i < 6; i++) {
        readAndCheck(key(i));
      }
    }
    // Between two reads of one chunk the scan passes four times what the cache holds.
    int loadsOfHot = 0;
    for (int i = 0; i < 1200; i++) {
      readAndCheck(key(1000 + i));
      if (i % 10 == 0) {
        ChunkKey hot = key(i / 10 % 6);
        int before = loads.getOrDefault(hot, 0);
        readAndCheck(hot);
        loadsOfHot += loads.getOrDefault(hot, 0) - before;
      }
    }
    assertThat(loadsOfHot).isLessThan(30);
  }
}

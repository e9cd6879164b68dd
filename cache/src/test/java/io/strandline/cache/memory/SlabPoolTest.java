package io.strandline.cache.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;

class SlabPoolTest {
  private static final int SLAB = 64 << 10;

  @Test
  void blocksNeverOverlapAndAllComesBack() {
    long seed = 7;
    Random random = new Random(seed);
    SlabPool pool = new SlabPool(10L * SLAB, SLAB);
    Map<SlabPool.Block, Integer> open = new HashMap<>();
    for (int i = 1; i < 20_000; i++) {
      int lengthBytes = 1 + random.nextInt(random.nextBoolean() ? SLAB : 8192);
      SlabPool.Block block = pool.allocate(lengthBytes);
      if (block != null) {
        ByteBuffer view = block.view(block.sizeBytes());
        while (view.hasRemaining()) {
          view.putInt(i);
        }
        open.put(block, i);
      }
      if (block == null || random.nextInt(3) == 0) {
        List<SlabPool.Block> all = new ArrayList<>(open.keySet());
        SlabPool.Block gone = all.get(random.nextInt(all.size()));
        ByteBuffer view = gone.view(gone.sizeBytes());
        int mark = open.remove(gone);
        while (view.hasRemaining()) {
          assertThat(view.getInt()).as("seed %s", seed).isEqualTo(mark);
        }
        pool.free(gone);
      }
      assertThat(pool.usedBytes()).isLessThanOrEqualTo(pool.budgetBytes());
    }
    open.keySet().forEach(pool::free);
    assertThat(pool.usedBytes()).isZero();
    for (int i = 0; i < 10; i++) {
      assertThat(pool.allocate(SLAB)).isNotNull();
    }
    assertThat(pool.allocate(1)).isNull();
  }
}

package io.strandline.broker.log.segment;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.broker.log.disk.Disk;
import io.strandline.broker.log.disk.NioDisk;
import java.io.IOException;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An index gives the same answers from its file, in pages, as from memory. */
class OffsetIndexTest {
  private static final int STEP = 10;

  @TempDir Path dir;

  @Test
  void theFileAnswersAsMemoryDid() throws IOException {
    for (int count : new int[] {0, 1, 511, 512, 513, 1024, 3000}) {
      OffsetIndex memory = index(count);
      try (Disk.File file = new NioDisk().open(dir.resolve(count + ".index"), true)) {
        OffsetIndex stored = index(count);
        file.write(stored.encode(), 0);
        stored.storeIn(file, count);
        SplittableRandom random = new SplittableRandom(count);
        int at = 0;
        for (int i = 0; i < 5_000; i++) {
          // Mostly onwards, as readers go, and now and then a jump.
          at = random.nextInt(20) == 0 ? random.nextInt(-5, (count + 2) * STEP) : at + 3;
          assertThat(stored.floorOffset(at)).isEqualTo(memory.floorOffset(at));
          assertThat(stored.floorPosition(at)).isEqualTo(memory.floorPosition(at));
        }
        assertThat(stored.floorOffset(Long.MAX_VALUE)).isEqualTo(memory.last());
        assertThat(stored.last()).isEqualTo(memory.last());
      }
    }
  }

  /** Offsets STEP, 2·STEP… at positions 0, STEP… */
  private static OffsetIndex index(int count) {
    OffsetIndex index = new OffsetIndex();
    for (int i = 0; i < count; i++) {
      index.append((i + 1) * STEP, i * STEP);
    }
    return index;
  }
}

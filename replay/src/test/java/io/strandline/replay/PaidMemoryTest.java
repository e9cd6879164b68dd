package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import io.strandline.replay.fetch.FetchConfig;
import io.strandline.tiering.segment.BatchBounds;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What readers keep is paid for with what the cache takes for it. */
class PaidMemoryTest {
  private static final int CHUNK_BYTES = 256 << 10;

  @TempDir Path dir;

  @Test
  void theLastChunkOfASegmentCostsTheBlockItLiesIn() {
    FetchConfig config =
        new FetchConfig(
            CHUNK_BYTES,
            CHUNK_BYTES,
            4L * CHUNK_BYTES,
            64 * CHUNK_BYTES,
            CHUNK_BYTES,
            5_000,
            1 << 20,
            30_000,
            BatchBounds.defaults());
    try (TestTier tier = new TestTier(dir, 3, Runnable::run, config, 1L << 20)) {
      tier.segment(CHUNK_BYTES / 2 + CHUNK_BYTES / 16, 600);
      try (ReplayRead read = tier.replay.read(tier.request(0, 1, "a")).join()) {
        tier.check(0, read);
        assertThat(tier.cache.usage().usedBytes()).isPositive();
        assertThat(tier.replay.reservedBytes())
            .isGreaterThanOrEqualTo(tier.cache.usage().usedBytes());
      }
    }
  }
}

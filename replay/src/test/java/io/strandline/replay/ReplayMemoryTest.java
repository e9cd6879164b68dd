package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Several consumers replay all there is, on little memory: the metrics never tell of more. */
class ReplayMemoryTest {
  private static final int CHUNK = TestTier.CHUNK;
  private static final int CONSUMERS = 8;
  private static final long BUDGET = 12L * CHUNK;
  private static final long CACHE = 20L * CHUNK;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @Test
  @Timeout(120)
  void theBudgetsHoldAsTheMetricsTellThem() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(2);
    ExecutorService consumers = Executors.newFixedThreadPool(CONSUMERS);
    try (TestTier tier = new TestTier(dir, 9, pool, TestTier.small(BUDGET), CACHE)) {
      for (int i = 0; i < 10; i++) {
        tier.segment(20 * CHUNK, 4000);
      }
      long directBefore = directBytes();
      assertThat(gauge(tier, "strandline.replay.budget.limit")).isEqualTo(BUDGET);
      List<Future<Long>> replays = new ArrayList<>();
      for (int i = 0; i < CONSUMERS; i++) {
        String name = "consumer-" + i;
        replays.add(consumers.submit(() -> replay(tier, name)));
      }
      for (Future<Long> replay : replays) {
        assertThat(replay.get()).isEqualTo(tier.endOffset());
      }
      // All chunks lie in the cache's slabs, and nothing else was taken from outside the heap.
      assertThat(directBytes() - directBefore).isLessThanOrEqualTo(CACHE + 4L * CHUNK);
      tier.replay.close();
      while (tier.cache.usage().fills() > 0 || tier.replay.reservedBytes() > 0) {
        Thread.onSpinWait();
      }
    } finally {
      pool.shutdown();
      consumers.shutdown();
      assertThat(pool.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static long replay(TestTier tier, String consumer) {
    long offset = 0;
    while (offset < tier.endOffset()) {
      try (ReplayRead read = tier.replay.read(tier.request(offset, 3 * CHUNK, consumer)).join()) {
        tier.check(offset, read);
        offset = read.nextOffset();
        assertThat(gauge(tier, "strandline.replay.budget.used")).isBetween(1.0, (double) BUDGET);
        assertThat(memory(tier, "used")).isLessThanOrEqualTo(memory(tier, "budget"));
        assertThat(memory(tier, "held")).isLessThanOrEqualTo(memory(tier, "budget"));
        assertThat(tier.store.inFlightBytesMax.get()).isLessThanOrEqualTo(BUDGET);
      }
    }
    return offset;
  }

  private static double gauge(TestTier tier, String name) {
    return tier.metrics.get(name).gauge().value();
  }

  private static double memory(TestTier tier, String state) {
    return tier.metrics.get("strandline.cache.memory.bytes").tag("state", state).gauge().value();
  }

  private static long directBytes() {
    return ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
        .filter(pool -> pool.getName().equals("direct"))
        .mapToLong(BufferPoolMXBean::getMemoryUsed)
        .sum();
  }
}

package io.strandline.replay;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Two hundred readers on a budget that holds a fraction of what they would like. */
class ManyReadersTest {
  private static final int CHUNK = TestTier.CHUNK;
  private static final int READERS = 200;

  @SuppressWarnings("NullAway.Init")
  @TempDir
  Path dir;

  @Test
  @Timeout(120)
  void allGetTheirBytesAndTheBudgetHolds() throws Exception {
    ExecutorService pool = Executors.newFixedThreadPool(4);
    ExecutorService clients = Executors.newFixedThreadPool(4);
    long budget = 48L * CHUNK;
    try (TestTier tier = new TestTier(dir, 3, pool, TestTier.small(budget), 80L * CHUNK)) {
      for (int i = 0; i < 6; i++) {
        tier.segment(10 * CHUNK, 4000);
      }
      List<CompletableFuture<Void>> ends = new ArrayList<>();
      for (int i = 0; i < READERS; i++) {
        Reader reader = new Reader(tier, clients, "reader-" + i, budget, i);
        ends.add(reader.end);
        clients.execute(reader::next);
      }
      CompletableFuture.allOf(ends.toArray(CompletableFuture[]::new)).join();
      assertThat(tier.store.inFlightBytesMax.get()).isLessThanOrEqualTo(budget);
      // What was kept ahead of a reader may still be on its way.
      tier.replay.close();
      while (tier.cache.usage().fills() > 0 || tier.replay.reservedBytes() > 0) {
        Thread.onSpinWait();
      }
    } finally {
      pool.shutdown();
      clients.shutdown();
      assertThat(pool.awaitTermination(10, TimeUnit.SECONDS)).isTrue();
    }
  }

  private static final class Reader {
    final CompletableFuture<Void> end = new CompletableFuture<>();
    private final TestTier tier;
    private final ExecutorService clients;
    private final String name;
    private final long budget;
    private final Random random;
    private long offset;

    Reader(TestTier tier, ExecutorService clients, String name, long budget, long seed) {
      this.tier = tier;
      this.clients = clients;
      this.name = name;
      this.budget = budget;
      this.random = new Random(seed);
      this.offset = random.nextInt((int) tier.endOffset());
    }

    void next() {
      if (offset >= tier.endOffset()) {
        end.complete(null);
        return;
      }
      CompletableFuture<ReplayRead> asked =
          tier.replay.read(tier.request(offset, 1 + random.nextInt(6 * CHUNK), name));
      if (random.nextInt(20) == 0) {
        asked.cancel(true);
        clients.execute(this::next);
        return;
      }
      CompletableFuture<?> unused = asked.whenCompleteAsync(this::check, clients);
    }

    private void check(ReplayRead read, Throwable failure) {
      try {
        if (failure != null) {
          throw new AssertionError(failure);
        }
        tier.check(offset, read);
        assertThat(tier.replay.reservedBytes()).isLessThanOrEqualTo(budget);
        assertThat(tier.cache.usage().usedBytes())
            .isLessThanOrEqualTo(tier.cache.usage().budgetBytes());
        offset = read.nextOffset();
        read.close();
        next();
      } catch (Throwable e) {
        end.completeExceptionally(e);
      }
    }
  }
}

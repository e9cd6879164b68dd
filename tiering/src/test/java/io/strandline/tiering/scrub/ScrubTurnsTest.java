package io.strandline.tiering.scrub;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class ScrubTurnsTest {
  private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void stop() {
    timer.shutdownNow();
  }

  /** At the end of their rounds turns are over at once, each within the one before. */
  @Test
  void tenThousandTurnsThatEndAtOnceNeedNoStack() {
    ScrubTurns turns = new ScrubTurns(timer);
    CompletableFuture<Boolean> first = turns.enter(() -> false);
    AtomicInteger had = new AtomicInteger();
    for (int i = 0; i < 10_000; i++) {
      var unused =
          turns
              .enter(() -> false)
              .thenAccept(
                  mine -> {
                    had.incrementAndGet();
                    turns.exit();
                  });
    }
    assertThat(first).isCompletedWithValue(true);
    turns.exit();
    assertThat(had).hasValue(10_000);
    assertThat(turns.enter(() -> false)).isCompletedWithValue(true);
  }
}

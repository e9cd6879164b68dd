package io.strandline.tiering.upkeep;

import static io.strandline.tiering.segment.TestLog.PARTITION;
import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.ManifestWriter;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.segment.SegmentFormatException;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.BooleanSupplier;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** When a chore that fails again and again has its next turn. */
class ChoreRoundTest {
  private static final long MINUTE_MS = 60_000;
  private static final long HOUR_MS = 60 * MINUTE_MS;

  private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private final InstantSource clock = () -> Instant.ofEpochMilli(this.nowMs);
  private final ManifestWriter writer =
      StoreManifests.open(
              new MemoryObjectStore(Runnable::run, clock),
              ManifestConfig.defaults(),
              new StoreManifests.Environment(clock, new Random(1), Runnable::run, metrics))
          .acquire(PARTITION, 1)
          .join();
  private long nowMs;

  /** One that would like to rest for an hour when it cannot get on. */
  private record Dear(RuntimeException failure) implements Chore {
    @Override
    public String name() {
      return "dear";
    }

    @Override
    public CompletableFuture<Integer> turn(ManifestWriter writer, BooleanSupplier left) {
      return CompletableFuture.failedFuture(failure);
    }

    @Override
    public long pauseMs(int done) {
      return 0;
    }

    @Override
    public long failurePauseMaxMs() {
      return HOUR_MS;
    }
  }

  private ChoreRound failed(RuntimeException failure, int turns) {
    ChoreRound.Pace pace = new ChoreRound.Pace(() -> nowMs, inARow -> MINUTE_MS, metrics);
    ChoreRound round = new ChoreRound(PARTITION, List.of(new Dear(failure)), pace);
    for (int i = 0; i < turns; i++) {
      nowMs += HOUR_MS;
      assertThat(round.due()).isTrue();
      assertThat(round.run(writer, false, () -> false)).isCompletedWithValue(0);
    }
    return round;
  }

  static Stream<RuntimeException> ours() {
    SegmentFormatException damaged = new SegmentFormatException("damaged");
    return Stream.of(
        damaged,
        new CompletionException(damaged),
        new CompletionException(new CompletionException(damaged)),
        new IllegalStateException("too many"),
        new KafkaException("no batch"),
        new UncheckedIOException(new IOException("disk")),
        new StoreException.Refused("403", null));
  }

  @ParameterizedTest
  @MethodSource("ours")
  void whatTheStoreIsNotTheReasonOfIsTriedLessAndLess(RuntimeException failure) {
    ChoreRound round = failed(failure, 12);
    nowMs += MINUTE_MS;
    assertThat(round.due()).isFalse();
    nowMs += HOUR_MS;
    assertThat(round.due()).isTrue();
  }

  @Test
  void whatAStoreThatIsAwayKeptFromBeingDoneIsDueAsSoonAsItIsBack() {
    StoreException away = new StoreException.Unavailable("away", null);
    for (RuntimeException failure : List.of(away, new CompletionException(away))) {
      ChoreRound round = failed(failure, 12);
      nowMs += MINUTE_MS;
      assertThat(round.due()).isTrue();
    }
  }
}

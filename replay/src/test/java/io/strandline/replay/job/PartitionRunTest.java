package io.strandline.replay.job;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.replay.Replay;
import io.strandline.replay.ReplayException;
import io.strandline.replay.ReplayException.Kind;
import io.strandline.replay.job.JobSpec.Damage;
import io.strandline.tiering.manifest.ManifestView;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.store.StoreException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** A read that fails, and a store that is away when the manifest is asked what that means. */
class PartitionRunTest {
  private static final long PATIENCE_MS = 1_000;

  private final TopicIdPartition partition = Bucket.partition("orders", 0);
  private final Queue<ReplayException> reads = new ArrayDeque<>();
  private final Queue<CompletableFuture<ManifestView>> looks = new ArrayDeque<>();
  private final CompletableFuture<Object> unanswered = new CompletableFuture<>();
  private final Waits waits = new Waits();
  private final List<Long> pausesMs = new ArrayList<>();
  private long nowMs;

  /** Of a partition of which retention has left offsets 12 to 30, read from 4 on. */
  private PartitionRun run(ManifestView view) {
    Replay replay =
        (Replay)
            Proxy.newProxyInstance(
                Replay.class.getClassLoader(),
                new Class<?>[] {Replay.class},
                (proxy, method, args) ->
                    reads.isEmpty() ? unanswered : CompletableFuture.failedFuture(reads.remove()));
    Manifests manifests =
        (Manifests)
            Proxy.newProxyInstance(
                Manifests.class.getClassLoader(),
                new Class<?>[] {Manifests.class},
                (proxy, method, args) -> looks.remove());
    InstantSource clock = () -> Instant.ofEpochMilli(nowMs);
    Pacer.Pause pause =
        ms -> {
          pausesMs.add(ms);
          nowMs += ms;
        };
    JobServices services =
        new JobServices(
            replay,
            manifests,
            new AtomicLong(),
            waits,
            Runnable::run,
            clock,
            () -> nowMs * 1_000_000,
            pause,
            PATIENCE_MS,
            BatchBounds.defaults());
    return new PartitionRun(
        services,
        JobSpec.of("orders").onDamage(Damage.SKIP),
        view,
        new PartitionRun.Shared(new Pacer(0, () -> nowMs * 1_000_000, pause), "job"),
        new PartitionRun.Range(4, 30));
  }

  private static CompletableFuture<ManifestView> away() {
    return CompletableFuture.failedFuture(new StoreException.Unavailable("no route", null));
  }

  private void fails(Kind kind) {
    reads.add(new ReplayException(kind, "not read", null));
  }

  private static void nothing(int number, List<HistoryRecord> records) {
    throw new AssertionError("nothing is read");
  }

  private ManifestView view(Path dir) {
    try (Bucket bucket = new Bucket(dir)) {
      for (int from = 0; from < 30; from += 6) {
        SimpleRecord[] records = new SimpleRecord[6];
        java.util.Arrays.fill(records, new SimpleRecord(1, new byte[] {1}, new byte[] {2}));
        bucket.segment(
            partition, List.of(), MemoryRecords.withRecords(from, Compression.NONE, 3, records));
      }
      bucket.advanceStart(partition, 12);
      return bucket.view(partition);
    }
  }

  @ParameterizedTest
  @EnumSource(names = {"OUT_OF_RANGE", "CORRUPT"})
  void theJobWaitsUntilTheManifestCanBeAsked(Kind kind, @TempDir Path dir) throws Exception {
    ManifestView view = view(dir);
    PartitionRun run = run(view);
    for (int i = 0; i < 3; i++) {
      fails(kind);
    }
    looks.add(away());
    looks.add(away());
    looks.add(CompletableFuture.completedFuture(view));
    run.step(PartitionRunTest::nothing);
    run.step(PartitionRunTest::nothing);
    assertThat(pausesMs).containsExactly(100L, 200L);
    assertThat(run.progress().skipped()).isEmpty();
    run.step(PartitionRunTest::nothing);
    assertThat(run.progress().skipped())
        .singleElement()
        .satisfies(skipped -> assertThat(skipped.fromOffset()).isEqualTo(4));
  }

  @Test
  void itEndsWithWhatTheStoreSaidWhenThatLastsTooLong(@TempDir Path dir) {
    PartitionRun run = run(view(dir));
    for (int i = 0; i < 10; i++) {
      fails(Kind.OUT_OF_RANGE);
      looks.add(away());
    }
    assertThatThrownBy(
            () -> {
              while (true) {
                run.step(PartitionRunTest::nothing);
              }
            })
        .isInstanceOfSatisfying(
            ReplayException.class, e -> assertThat(e.kind()).isEqualTo(Kind.UNAVAILABLE))
        .hasMessageContaining("no route");
    assertThat(nowMs).isGreaterThanOrEqualTo(PATIENCE_MS);
  }

  /** Whoever would have answered may have gone with its queue. */
  @Test
  void whatIsNotAnsweredFailsWhenTheHistoryIsClosed(@TempDir Path dir) throws Exception {
    PartitionRun run = run(view(dir));
    FutureTask<Void> step =
        new FutureTask<>(
            () -> {
              run.step(PartitionRunTest::nothing);
              return null;
            });
    Thread worker = new Thread(step, "worker");
    worker.setDaemon(true);
    worker.start();
    while (unanswered.getNumberOfDependents() == 0) {
      Thread.onSpinWait();
    }
    assertThat(step).isNotDone();
    waits.close();
    assertThatThrownBy(() -> step.get(30, TimeUnit.SECONDS))
        .rootCause()
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> run.step(PartitionRunTest::nothing)).hasMessageContaining("closed");
  }
}

package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.guard.Circuit;
import io.strandline.tiering.store.guard.Deadline;
import io.strandline.tiering.store.guard.Retry;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import io.strandline.tiering.store.s3.HttpS3;
import io.strandline.tiering.store.s3.HttpS3.Answer;
import io.strandline.tiering.store.s3.S3Config;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadIntents;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The real tier on the real S3 store over HTTP: whatever the server answers, the lag says why in an
 * operator's words, the server is left alone, and all goes up when it answers again.
 */
class TroubleOverHttpTest {
  private static final int PARTITIONS = 12;
  private static final Circuit CIRCUIT =
      new Circuit(10, Duration.ofMillis(50), Duration.ofMillis(200));

  /** What the server does, and what an operator is told. */
  private record Case(String name, Answer answer, TierTrouble told) {}

  private static final List<Case> CASES =
      List.of(
          new Case("SlowDown", Answer.error(503, "SlowDown"), TierTrouble.THROTTLED),
          new Case("InternalError", Answer.error(500, "InternalError"), TierTrouble.AWAY),
          new Case("skew", Answer.error(403, "RequestTimeTooSkewed"), TierTrouble.CLOCK),
          new Case("expired", Answer.error(400, "ExpiredToken"), TierTrouble.EXPIRED),
          new Case("denied", Answer.error(403, "AccessDenied"), TierTrouble.REFUSED),
          new Case("key", Answer.error(403, "InvalidAccessKeyId"), TierTrouble.REFUSED),
          new Case("bucket", Answer.error(404, "NoSuchBucket"), TierTrouble.REFUSED),
          new Case("full", Answer.error(507, "QuotaExceeded"), TierTrouble.FULL),
          new Case("timeout", Answer.error(400, "RequestTimeout"), TierTrouble.LATE),
          new Case("page instead", Answer.page(200), TierTrouble.AWAY),
          new Case("page of a balancer", Answer.page(503), TierTrouble.AWAY),
          new Case("cut", Answer.object(200, 100, 50), TierTrouble.AWAY),
          new Case("hang up", Answer.hangUp(), TierTrouble.AWAY),
          new Case("silence", Answer.silence(), TierTrouble.LATE));

  @TempDir Path dir;

  private final ExecutorService threads = Executors.newFixedThreadPool(8);
  private final ScheduledExecutorService timer = Executors.newScheduledThreadPool(2);
  private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private final List<TestHotLog> logs = new ArrayList<>();
  private HttpS3 server;
  private Stores.Watched watched;
  private TierPipeline pipeline;

  @BeforeEach
  void start() throws IOException {
    server = new HttpS3();
    InstantSource clock = InstantSource.system();
    Random random = new Random(1);
    StoreRuntime runtime =
        new StoreRuntime(
            new StoreRuntime.Time(clock, System::nanoTime), random, threads, timer, metrics);
    watched = Stores.watched(server.uri(), store(), runtime);
    pipeline =
        new TierPipeline(
            tier(),
            new TierServices(
                "cluster",
                watched.store(),
                OwnedStores.all(watched.store()),
                StoreManifests.open(
                    watched.store(),
                    ManifestConfig.defaults(),
                    new StoreManifests.Environment(clock, random, threads, metrics)),
                UploadIntents.open(dir.resolve("intents")),
                Deletions.open(dir.resolve("deletions")),
                threads,
                new Workbench(threads, dir.resolve("rewriting")),
                timer,
                clock,
                random,
                Recompressor.none(),
                metrics));
    pipeline.start();
    for (int i = 0; i < PARTITIONS; i++) {
      TestHotLog log = new TestHotLog(dir, i).seal(i, 2);
      logs.add(log);
      pipeline.join(new TierMember(log, log, log::end, 1, TierPolicy::keepAll));
    }
  }

  @AfterEach
  void stop() throws InterruptedException {
    pipeline.close();
    watched.store().close();
    server.close();
    timer.shutdownNow();
    threads.shutdown();
    boolean unused = threads.awaitTermination(1, TimeUnit.MINUTES);
  }

  private static StoreConfig store() {
    StoreConfig d = StoreConfig.defaults();
    return new StoreConfig(
        new Deadline(Duration.ofMillis(400), 1 << 20),
        new Retry(3, Duration.ofMillis(5), Duration.ofMillis(20), Duration.ofSeconds(5)),
        d.budget(),
        CIRCUIT,
        d.rates(),
        d.multipart(),
        Optional.of(new S3Config.Credentials("any", "any-secret", Optional.empty())),
        d.keys());
  }

  private static TierConfig tier() {
    TierConfig d = TierConfig.defaults();
    return new TierConfig(
        d.upload(),
        d.gather(),
        20,
        d.reclaimMs(),
        20,
        100,
        d.segmentsPerCommit(),
        d.scrub(),
        d.rewrite());
  }

  @Test
  void theLagSaysWhyAndTheServerIsLeftAloneWhateverItAnswers() {
    await("all tiered at first", this::tiered);
    int seed = 100;
    for (Case now : CASES) {
      server.answer(now.answer);
      for (TestHotLog log : logs) {
        seal(log, seed++);
      }
      await(now.name + " is told", () -> told(now.told));
      assertThat(watched.circuit().trouble()).as(now.name).contains(now.told.label());
      leftAlone(now.name);
      server.answer(null);
      await("all tiered after " + now.name, this::tiered);
      await("nothing told after " + now.name, () -> pipeline.trouble().isEmpty());
      assertThat(watched.circuit().trouble()).as("after " + now.name).isEmpty();
    }
  }

  private static void seal(TestHotLog log, int seed) {
    log.seal(seed, 2);
  }

  /** All behind, for this reason and no other, and the circuit open. */
  private boolean told(TierTrouble cause) {
    double behind =
        metrics.get("strandline.tiering.lag.cause").tag("cause", cause.label()).gauge().value();
    return behind > 0
        && behind == metrics.get("strandline.tiering.lag").gauge().value()
        && watched.circuit().trouble().contains("writes");
  }

  /** Twelve partitions ask again and again; as many requests come as pauses allow, of each lane. */
  private void leftAlone(String name) {
    long began = System.nanoTime();
    int before = server.requests();
    for (int i = 0; i < 20; i++) {
      pipeline.retryNow(Integer.MAX_VALUE);
      LockSupport.parkNanos(10_000_000);
    }
    long ms = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - began);
    long pauses = ms / CIRCUIT.firstPause().toMillis() + 2;
    assertThat(server.requests() - before)
        .as(name + " in " + ms + " ms")
        .isLessThan((int) pauses * 2);
  }

  private boolean tiered() {
    return logs.stream().allMatch(log -> log.isTiered(pipeline));
  }

  private static void await(String what, BooleanSupplier condition) {
    long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(60);
    while (!condition.getAsBoolean()) {
      if (System.nanoTime() > deadline) {
        throw new AssertionError("waited in vain for: " + what);
      }
      LockSupport.parkNanos(5_000_000);
    }
  }
}

package io.strandline.tiering;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.Manifests;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.reclaim.Deletions;
import io.strandline.tiering.reclaim.TierPolicy;
import io.strandline.tiering.rewrite.Workbench;
import io.strandline.tiering.seal.DueSegment;
import io.strandline.tiering.seal.SealRule;
import io.strandline.tiering.seal.SealedSegment;
import io.strandline.tiering.store.DecoratedObjectStore;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.OwnedStores;
import io.strandline.tiering.store.StoreCall;
import io.strandline.tiering.store.StoreCall.Operation;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.StoreException.Unavailable;
import io.strandline.tiering.store.StoreException.Unavailable.Why;
import io.strandline.tiering.store.guard.CircuitObjectStore;
import io.strandline.tiering.store.memory.MemoryObjectStore;
import io.strandline.tiering.store.open.StoreConfig;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import io.strandline.tiering.upload.Recompressor;
import io.strandline.tiering.upload.UploadConfig;
import io.strandline.tiering.upload.UploadIntents;
import io.strandline.tiering.upload.UploadedSegment;
import io.strandline.tiering.upload.Uploader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Half an hour without the store, for a broker that leads many partitions, behind all guards and in
 * virtual time: few requests meanwhile, the cause is told, and after it all goes up, oldest first,
 * without a storm.
 */
class OutageTest {
  private static final int PARTITIONS = Integer.getInteger("outage.partitions", 80);
  private static final int MINUTE_MS = 60_000;
  private static final long ANSWER_MS = 30;

  /** What is wrong with the store, and what an operator is told. */
  enum Weather {
    DOWN(TierTrouble.AWAY),
    HANGING(TierTrouble.LATE),
    THROTTLING(TierTrouble.THROTTLED),
    FULL(TierTrouble.FULL),
    CLOCK_SKEW(TierTrouble.CLOCK),
    EXPIRED_CREDENTIALS(TierTrouble.EXPIRED),
    REFUSING(TierTrouble.REFUSED);

    private final TierTrouble told;

    Weather(TierTrouble told) {
      this.told = told;
    }
  }

  /** Answers after a while, or not at all, and writes down what it was asked. */
  private final class Sky extends DecoratedObjectStore {
    Weather weather;
    boolean half;
    final List<String> puts = new ArrayList<>();
    int requests;
    int underWay;
    int underWayMax;
    private final Random chance = new Random(5);

    Sky(ObjectStore inner) {
      super(inner);
    }

    @Override
    protected <T> CompletableFuture<T> around(
        StoreCall call, Supplier<CompletableFuture<T>> action) {
      requests++;
      CompletableFuture<T> answer = new CompletableFuture<>();
      if (weather == Weather.HANGING) {
        return answer; // its deadline ends it
      }
      underWayMax = Math.max(underWayMax, ++underWay);
      boolean fails = weather != null || (half && chance.nextBoolean());
      if (!fails && call.operation() == Operation.PUT && call.subject().endsWith(".seg")) {
        puts.add(call.subject());
      }
      ScheduledFuture<?> unused =
          time.schedule(
              () -> {
                underWay--;
                if (fails) {
                  answer.completeExceptionally(failure());
                } else {
                  link(action.get(), answer);
                }
              },
              ANSWER_MS,
              TimeUnit.MILLISECONDS);
      return answer;
    }

    private StoreException failure() {
      if (weather == null) {
        return new Unavailable("every other call", null);
      }
      return switch (weather) {
        case DOWN, HANGING -> new Unavailable("no connection", null);
        case THROTTLING -> new Unavailable("SlowDown", null, Why.THROTTLED);
        case FULL -> new Unavailable("507", null, Why.FULL);
        case CLOCK_SKEW -> new Unavailable("RequestTimeTooSkewed", null, Why.CLOCK);
        case EXPIRED_CREDENTIALS -> new Unavailable("ExpiredToken", null, Why.EXPIRED);
        case REFUSING -> new StoreException.Refused("AccessDenied", null);
      };
    }
  }

  @TempDir Path dir;

  private final TestTime time = new TestTime();
  private final SimpleMeterRegistry metrics = new SimpleMeterRegistry();
  private final Sky sky = new Sky(new MemoryObjectStore(Runnable::run, time));
  private final List<TestHotLog> logs = new ArrayList<>();
  private TierPipeline pipeline;
  private Stores.Watched watched;

  private void begin(int partitions) throws IOException {
    Random random = new Random(1);
    StoreRuntime runtime =
        new StoreRuntime(
            new StoreRuntime.Time(time, () -> TimeUnit.MILLISECONDS.toNanos(time.millis())),
            random,
            time,
            time,
            metrics);
    watched = Stores.guarded(sky, StoreConfig.defaults(), runtime);
    Manifests manifests =
        StoreManifests.open(
            watched.store(),
            ManifestConfig.defaults(),
            new StoreManifests.Environment(time, random, time, metrics));
    pipeline =
        new TierPipeline(
            TierConfig.defaults(),
            new TierServices(
                "cluster",
                watched.store(),
                OwnedStores.all(watched.store()),
                manifests,
                UploadIntents.open(dir.resolve("intents")),
                Deletions.open(dir.resolve("deletions")),
                time,
                new Workbench(time, dir.resolve("rewriting")),
                time,
                time,
                random,
                Recompressor.none(),
                metrics));
    watched
        .circuit()
        .listen(
            new CircuitObjectStore.Listener() {
              @Override
              public void trialDue() {
                pipeline.retryNow(1);
              }

              @Override
              public void cameBack() {
                pipeline.retryNow(Integer.MAX_VALUE);
              }
            });
    pipeline.start();
    for (int i = 0; i < partitions; i++) {
      TestHotLog log = new TestHotLog(dir, i).seal(i, 2);
      logs.add(log);
      pipeline.join(new TierMember(log, log, log::end, 1, TierPolicy::keepAll));
    }
  }

  private boolean tiered() {
    return logs.stream().allMatch(log -> log.isTiered(pipeline));
  }

  private double ofLane(String gauge, String lane) {
    return metrics.get(gauge).tag("lane", lane).gauge().value();
  }

  private double lag(TierTrouble cause) {
    return metrics.get("strandline.tiering.lag.cause").tag("cause", cause.label()).gauge().value();
  }

  @ParameterizedTest
  @EnumSource
  void halfAnHourWithoutTheStoreEndsWithoutAStorm(Weather weather) throws IOException {
    begin(PARTITIONS);
    time.advance(5 * MINUTE_MS);
    assertThat(tiered()).isTrue();
    assertThat(pipeline.trouble()).isEmpty();

    sky.weather = weather;
    for (TestHotLog log : logs) {
      log.seal(log.partition().partition() + 1, 2);
    }
    time.advance(2 * MINUTE_MS);
    sky.requests = 0;
    time.advance(28 * MINUTE_MS);
    // Reads and writes are tried once in ten seconds each, and nothing else is asked.
    assertThat(sky.requests).as("requests in 28 minutes").isLessThan(28 * 6 * 2 + 20);
    double behind = metrics.get("strandline.tiering.lag").gauge().value();
    assertThat(behind).isPositive();
    assertThat(lag(weather.told)).isEqualTo(behind);
    assertThat(metrics.get("strandline.tiering.lag.age").timeGauge().value())
        .isGreaterThan(29 * 60);
    assertThat(pipeline.trouble()).contains(PARTITIONS + " partitions " + weather.told.label());

    for (String lane : List.of("reads", "writes")) {
      if (ofLane("strandline.store.away", lane) > 0) {
        assertThat(ofLane("strandline.store.calls.max", lane)).as("%s to begin with", lane).isOne();
      }
    }
    assertThat(ofLane("strandline.store.away", "writes")).isOne();
    sky.weather = null;
    sky.requests = 0;
    sky.puts.clear();
    sky.underWayMax = 0;
    int begins = 0;
    while (sky.requests < 3 && begins++ < 20_000) {
      time.advance(10);
    }
    assertThat(sky.underWay).as("at once, as it comes back").isLessThanOrEqualTo(6);
    int steps = 0;
    while (!tiered() && steps++ < 120) {
      int before = sky.requests;
      time.advance(1_000);
      assertThat(sky.requests - before).as("requests in a second").isLessThan(2_000);
    }
    assertThat(tiered()).isTrue();
    // A put, a version and a look each, and what a partition asks when its chores are due.
    assertThat(sky.requests).isLessThan(PARTITIONS * 6);
    assertThat(sky.underWayMax).as("calls at once").isLessThanOrEqualTo(64 + 32);
    assertThat(sky.puts).hasSize(PARTITIONS);
    time.advance(5_000); // the lag is measured at the next pass
    assertThat(pipeline.trouble()).isEmpty();
    assertThat(metrics.get("strandline.tiering.lag").gauge().value()).isZero();
  }

  @Test
  void aStoreThatFailsEveryOtherCallTakesEverythingAllTheSame() throws IOException {
    sky.half = true;
    begin(PARTITIONS);
    time.advance(10 * MINUTE_MS);
    assertThat(tiered()).isTrue();
  }

  @Test
  void whatWaitsLongestGoesUpFirst() throws IOException {
    begin(40);
    time.advance(5 * MINUTE_MS);
    sky.weather = Weather.DOWN;
    for (int i = 39; i >= 0; i--) {
      logs.get(i).seal(i + 1, 2);
      time.advance(20_000);
    }
    List<String> oldestFirst = new ArrayList<>();
    logs.stream()
        .sorted(
            java.util.Comparator.comparingLong(
                log -> log.segments().get(log.segments().size() - 1).maxTimestamp()))
        .forEach(log -> oldestFirst.add("/" + log.partition().partition() + "/"));
    sky.weather = null;
    sky.puts.clear();
    time.advance(2 * MINUTE_MS);
    assertThat(sky.puts).hasSize(40);
    List<Integer> order =
        sky.puts.stream()
            .map(put -> oldestFirst.indexOf(put.replaceAll(".*(/\\d+/)[^/]*$", "$1")))
            .toList();
    // But for the first, which were under way, and for neighbours, which go up together.
    int pairs = 0;
    int turned = 0;
    for (int i = 8; i < order.size(); i++) {
      for (int j = i + 5; j < order.size(); j++) {
        pairs++;
        turned += order.get(i) > order.get(j) ? 1 : 0;
      }
    }
    assertThat(turned).as("of %s, turned in %s", pairs, order).isLessThan(pairs / 10);
  }

  /** The pass that finds it fails all the same, for what else it asked was turned away. */
  @Test
  void whoFindsTheStoreBackDoesNotWaitOutAPause() throws IOException {
    begin(1);
    time.advance(5 * MINUTE_MS);
    sky.weather = Weather.DOWN;
    for (int i = 1; i <= 40; i++) {
      logs.get(0).seal(i, 2);
    }
    time.advance(30 * MINUTE_MS);
    sky.weather = null;
    time.advance(20_000); // it is tried every ten seconds
    assertThat(tiered()).isTrue();
  }

  /** Most calls would else wait behind the one that tries it, and nobody would be told anything. */
  @Test
  void whileTheStoreHangsReadsOfItFailAtOnce() throws IOException {
    begin(1);
    time.advance(5 * MINUTE_MS);
    sky.weather = Weather.HANGING;
    ObjectKey key = ObjectKey.of("history");
    for (int i = 0; i < 12; i++) {
      watched.store().get(key, 0, 1_000);
    }
    time.advance(2 * MINUTE_MS);
    assertThat(watched.circuit().trouble()).contains("reads").contains("late");
    int waiting = 0;
    sky.requests = 0;
    for (int i = 0; i < 600; i++) {
      waiting += watched.store().get(key, 0, 1_000).isDone() ? 0 : 1;
      time.advance(100);
    }
    assertThat(sky.requests).as("requests in a minute").isBetween(2, 7);
    assertThat(waiting).as("of 600 in a minute, those that tried it").isBetween(2, 7);
  }

  /** Of which there is much, and every try of it would be for nothing. */
  @Test
  void whileTheStoreIsAwayNothingIsReadOfWhatIsToGoUp() throws IOException {
    begin(1);
    time.advance(5 * MINUTE_MS);
    sky.weather = Weather.DOWN;
    TestHotLog log = logs.get(0).seal(1, 2);
    time.advance(2 * MINUTE_MS);
    assertThat(ofLane("strandline.store.away", "writes")).isOne();
    SealedSegment sealed = log.segments().get(log.segments().size() - 1);
    DueSegment due = SealRule.due(log, sealed.baseOffset(), log.end(), 1).get(0);
    Uploader uploader =
        new Uploader(
            "cluster",
            UploadConfig.defaults(),
            new Uploader.Services(
                watched.store(),
                UploadIntents.open(dir.resolve("other")),
                time,
                time,
                new Random(2),
                Recompressor.none(),
                metrics));
    Files.delete(sealed.log()); // who reads it fails otherwise
    CompletableFuture<UploadedSegment> upload = uploader.upload(due, 1);
    time.advance(0);
    assertThat(upload).isCompletedExceptionally();
    assertThatThrownBy(upload::join)
        .cause()
        .isInstanceOfSatisfying(Unavailable.class, away -> assertThat(away.unasked()).isTrue());
  }

  @Test
  void whatIsNotStableIsTold() throws IOException {
    begin(0);
    TestHotLog log = new TestHotLog(dir, 0).seal(1, 2);
    pipeline.join(new TierMember(log, log, () -> 1, 1, TierPolicy::keepAll));
    time.advance(MINUTE_MS);
    assertThat(lag(TierTrouble.UNSTABLE)).isPositive();
    assertThat(pipeline.trouble()).contains("1 partitions unstable");
  }
}

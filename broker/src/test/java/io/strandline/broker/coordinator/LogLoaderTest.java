package io.strandline.broker.coordinator;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.partition.PartitionRuntime;
import io.strandline.broker.partition.PartitionSettings;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.partition.Tier;
import io.strandline.broker.partition.keep.Home;
import io.strandline.broker.partition.meter.ReplicaMeters;
import io.strandline.broker.replica.Alone;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.coordinator.common.runtime.CoordinatorLoader.LoadSummary;
import org.apache.kafka.coordinator.common.runtime.CoordinatorPlayback;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A coordinator that is elected, resigns and is elected again while its log is not there yet. */
@Timeout(60)
class LogLoaderTest {
  private static final TopicPartition OFFSETS = new TopicPartition("__consumer_offsets", 0);

  private final AtomicLong nowMs = new AtomicLong();
  private final AtomicInteger looks = new AtomicInteger();
  private volatile boolean elected = true;
  private final ScheduledExecutorService thread = Executors.newSingleThreadScheduledExecutor();

  @AfterEach
  void stop() {
    thread.shutdownNow();
  }

  private static <T> T never(Class<T> type) {
    return type.cast(
        Proxy.newProxyInstance(
            LogLoaderTest.class.getClassLoader(),
            new Class<?>[] {type},
            (proxy, method, arguments) -> {
              throw new UnsupportedOperationException(method.getName());
            }));
  }

  /** In which this broker is elected, or the next one. */
  private ClusterView view() {
    looks.incrementAndGet();
    PartitionState state =
        new PartitionState(
            new TopicIdPartition(new Uuid(1, 1), OFFSETS),
            elected ? 1 : 2,
            5,
            1,
            List.of(1, 2),
            List.of(1, 2),
            List.of(),
            List.of(),
            List.of(),
            new Uuid(2, 2),
            false);
    return (ClusterView)
        Proxy.newProxyInstance(
            LogLoaderTest.class.getClassLoader(),
            new Class<?>[] {ClusterView.class},
            (proxy, method, arguments) ->
                "nodeId".equals(method.getName()) ? 1 : Optional.of(state));
  }

  private Partitions noPartitions() {
    return new Partitions(
        new PartitionRuntime(
            InstantSource.system(),
            Runnable::run,
            Runnable::run,
            Runnable::run,
            Runnable::run,
            thread,
            null,
            null,
            new SimpleMeterRegistry(),
            Alone.replicas(InstantSource.system()),
            new ReplicaMeters(new KafkaMeters(() -> 0)),
            PartitionSettings.defaults()),
        never(ControlPlane.class),
        new Home(List.of(), Set::of),
        Tier.NONE,
        Runnable::run);
  }

  private LogLoader<CoordinatorRecord> loader() {
    return new LogLoader<>(
        new Offices(noPartitions(), this::view),
        new GroupCoordinatorRecordSerde(),
        1_000,
        thread,
        nowMs::get);
  }

  @SuppressWarnings("unchecked")
  private static CompletableFuture<LoadSummary> load(LogLoader<CoordinatorRecord> loader) {
    return loader.load(OFFSETS, never(CoordinatorPlayback.class));
  }

  private void awaitMoreLooks(CompletableFuture<?> loading) {
    int before = looks.get();
    while (looks.get() < before + 3 && !loading.isDone()) {
      Thread.onSpinWait();
    }
  }

  @Test
  void onlyItsLatestLoadingEnds() {
    LogLoader<CoordinatorRecord> loader = loader();
    CompletableFuture<LoadSummary> first = load(loader);
    CompletableFuture<LoadSummary> second = load(loader);
    elected = false;
    assertThat(second)
        .failsWithin(Duration.ofSeconds(30))
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(NotLeaderOrFollowerException.class);
    assertThat(first).isNotDone();
  }

  /** The coordinator would not ask again, and its groups had none until the next election. */
  @Test
  void aLogThatTakesLongIsWaitedForAsLongAsItIsElected() {
    CompletableFuture<LoadSummary> loading = load(loader());
    nowMs.addAndGet(86_400_000);
    awaitMoreLooks(loading);
    assertThat(loading).isNotDone();
    elected = false;
    assertThat(loading)
        .failsWithin(Duration.ofSeconds(30))
        .withThrowableOfType(ExecutionException.class)
        .withCauseInstanceOf(NotLeaderOrFollowerException.class);
  }

  /** The coordinator, elected again, would take its end for that of the loading to come. */
  @Test
  void noneEndsThatWasAskedForBeforeItResigned() throws Exception {
    LogLoader<CoordinatorRecord> loader = loader();
    CompletableFuture<LoadSummary> earlier = load(loader);
    awaitMoreLooks(earlier);
    loader.resigned(OFFSETS);
    elected = false;
    thread
        .schedule(() -> {}, 100, TimeUnit.MILLISECONDS)
        .get(); // after what the loading has planned
    assertThat(earlier).isNotDone();
  }

  /** An interrupt closes the file that is read, for all who use it. */
  @Test
  void theEndInterruptsNobodyAndDropsWhatWaits() throws Exception {
    LogLoader<CoordinatorRecord> loader = loader();
    CountDownLatch reading = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Future<?> read =
        thread.submit(
            () -> {
              reading.countDown();
              closed.await();
              return null;
            });
    reading.await();
    CompletableFuture<LoadSummary> waiting = load(loader);
    elected = false;
    loader.close();
    closed.countDown();
    assertThat(read).succeedsWithin(Duration.ofSeconds(30));
    assertThat(thread.awaitTermination(30, TimeUnit.SECONDS)).isTrue();
    assertThat(waiting).isNotDone();
  }
}

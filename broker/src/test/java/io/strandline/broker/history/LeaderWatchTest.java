package io.strandline.broker.history;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.control.Peers;
import io.strandline.broker.control.TestPeers;
import io.strandline.broker.partition.Watcher;
import io.strandline.replay.Replay;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Queue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import org.apache.kafka.common.IsolationLevel;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.LeaderNotAvailableException;
import org.apache.kafka.common.errors.NotLeaderOrFollowerException;
import org.apache.kafka.common.message.FetchResponseData.PartitionData;
import org.apache.kafka.common.metrics.Metrics;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What is listened for at a leader that is not there: it is looked for, time and again. */
class LeaderWatchTest {
  private static final TopicIdPartition ID = new TopicIdPartition(new Uuid(3, 4), 0, "orders");

  private final Queue<Runnable> later = new ArrayDeque<>();
  private final Metrics metrics = new Metrics();
  private final ClusterView view =
      fake(
          ClusterView.class,
          (proxy, method, args) ->
              method.getName().equals("partition") ? Optional.of(leaderless()) : Optional.empty());
  private final Peers peers = TestPeers.none(view, metrics);
  private final ControlPlane control =
      fake(
          ControlPlane.class,
          (proxy, method, args) -> method.getName().equals("peers") ? peers : view);
  private final ScheduledFuture<?> task =
      fake(ScheduledFuture.class, (proxy, method, args) -> true);
  private final ScheduledExecutorService timer =
      fake(
          ScheduledExecutorService.class,
          (proxy, method, args) -> {
            if (method.getName().equals("schedule")) {
              later.add((Runnable) args[0]);
            }
            return task;
          });
  private final HistoryPartitions partitions =
      new HistoryPartitions(
          control,
          fake(Replay.class, (proxy, method, args) -> Optional.empty()),
          topic -> {
            throw new IllegalStateException("nothing is counted");
          },
          new HistoryPartitions.Environment(InstantSource.system(), timer, id -> false),
          1 << 20);
  private final HistoryPartition partition =
      (HistoryPartition) partitions.find(ID.topicPartition());

  @AfterEach
  void close() {
    partitions.close();
    metrics.close();
  }

  private static <T> T fake(Class<T> type, InvocationHandler answers) {
    return type.cast(
        Proxy.newProxyInstance(
            LeaderWatchTest.class.getClassLoader(), new Class<?>[] {type}, answers));
  }

  private static PartitionState leaderless() {
    return new PartitionState(
        ID,
        -1,
        5,
        5,
        List.of(2),
        List.of(2),
        List.of(),
        List.of(),
        List.of(),
        new Uuid(1, 1),
        false);
  }

  private void hears(long highWatermark) {
    partition.heard(
        new PartitionData().setHighWatermark(highWatermark).setLastStableOffset(highWatermark));
  }

  private void lookAgain() {
    List<Runnable> due = List.copyOf(later);
    later.clear();
    due.forEach(Runnable::run);
  }

  @Test
  void whatSomebodyWaitsForIsListenedFor() {
    hears(5);
    partition.watch((source, wakes) -> {});
    for (int i = 0; i < 3; i++) {
      assertThat(later).hasSize(1);
      lookAgain();
    }
  }

  /** Told LEADER_NOT_AVAILABLE, its {@code poll()} fails for good. */
  @Test
  void aFetchIsToldWhatAConsumerExpects() {
    LeaderReads leaders = partitions.leaders();
    assertThatThrownBy(
            leaders.fetch(
                    leaderless(),
                    new LeaderReads.FetchFrom(0, 1, 0),
                    IsolationLevel.READ_UNCOMMITTED,
                    () -> false)
                ::join)
        .hasCauseInstanceOf(NotLeaderOrFollowerException.class);
    assertThatThrownBy(
            leaders.offsetFor(leaderless(), 0, IsolationLevel.READ_UNCOMMITTED, OptionalInt.empty())
                ::join)
        .hasCauseInstanceOf(LeaderNotAvailableException.class);
  }

  /** Whoever is told leaves at once, as a fetch does that is answered. */
  @Test
  void whatNobodyWaitsForAnyMoreIsNot() {
    Watcher[] once = new Watcher[1];
    once[0] = (source, wakes) -> source.unwatch(once[0]);
    partition.watch(once[0]);
    hears(5);
    lookAgain();
    assertThat(later).isEmpty();
  }
}

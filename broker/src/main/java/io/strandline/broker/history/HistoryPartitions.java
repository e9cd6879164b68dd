package io.strandline.broker.history;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PartitionState;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.partition.meter.TopicMeters;
import io.strandline.replay.Replay;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import java.util.function.Predicate;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;

/** All partitions of the cluster, as a replay broker reads them. Threads: any. */
public final class HistoryPartitions implements AutoCloseable {
  /** One that nobody read for so long is forgotten. */
  private static final long IDLE_MS = 300_000;

  private final ControlPlane control;
  private final Replay replay;
  private final Function<String, TopicMeters> meters;
  private final InstantSource clock;
  private final Predicate<TopicIdPartition> mounted;
  private final LeaderReads leaders;
  private final LeaderWatch watch;
  private final ScheduledFuture<?> sweep;
  private final Map<TopicIdPartition, HistoryPartition> read = new ConcurrentHashMap<>();

  /**
   * @param meters of a topic
   * @param leaderFetchBytes of one answer of a leader
   */
  public HistoryPartitions(
      ControlPlane control,
      Replay replay,
      Function<String, TopicMeters> meters,
      Environment environment,
      int leaderFetchBytes) {
    this.control = control;
    this.replay = replay;
    this.meters = meters;
    this.clock = environment.clock();
    this.mounted = environment.mounted();
    this.leaders = new LeaderReads(control, environment.timer(), leaderFetchBytes);
    this.watch = new LeaderWatch(control, environment.timer());
    this.sweep =
        environment
            .timer()
            .scheduleWithFixedDelay(this::forget, IDLE_MS / 5, IDLE_MS / 5, TimeUnit.MILLISECONDS);
  }

  /**
   * @param timer whose tasks are short
   * @param mounted whether all of a partition is another cluster's, and replay reads it there
   */
  public record Environment(
      InstantSource clock, ScheduledExecutorService timer, Predicate<TopicIdPartition> mounted) {}

  /**
   * A partition of the cluster.
   *
   * @throws UnknownTopicOrPartitionException there is none
   */
  public PartitionRead.Source find(TopicPartition partition) {
    TopicIdPartition id =
        control
            .view()
            .partition(partition)
            .orElseThrow(() -> new UnknownTopicOrPartitionException("there is no " + partition))
            .id();
    return read.computeIfAbsent(id, made -> new HistoryPartition(made, this));
  }

  private void forget() {
    long before = clock.millis() - IDLE_MS;
    read.values().removeIf(partition -> partition.idleSince(before));
  }

  // ---- its partitions'

  Optional<PartitionState> state(TopicIdPartition id) {
    return control.view().partition(id.topicPartition()).filter(state -> state.id().equals(id));
  }

  PartitionState stateOrThrow(TopicIdPartition id) {
    return state(id)
        .orElseThrow(() -> new UnknownTopicOrPartitionException("there is no " + id + " any more"));
  }

  TopicMeters meters(String topic) {
    return meters.apply(topic);
  }

  Replay replay() {
    return replay;
  }

  boolean mounted(TopicIdPartition id) {
    return mounted.test(id);
  }

  LeaderReads leaders() {
    return leaders;
  }

  LeaderWatch watch() {
    return watch;
  }

  long nowMs() {
    return clock.millis();
  }

  @Override
  public void close() {
    sweep.cancel(false);
    watch.close();
    leaders.close();
  }
}

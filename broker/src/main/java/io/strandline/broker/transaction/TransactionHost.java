package io.strandline.broker.transaction;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.control.PeerRequests;
import io.strandline.broker.coordinator.Elections;
import io.strandline.broker.coordinator.LogLoader;
import io.strandline.broker.coordinator.Offices;
import io.strandline.broker.coordinator.OffsetVerification;
import io.strandline.broker.coordinator.PartitionAppends;
import io.strandline.broker.coordinator.Subscription;
import io.strandline.broker.partition.Partitions;
import io.strandline.broker.transaction.state.Transaction;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Map;
import java.util.OptionalInt;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRuntime;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRuntimeMetrics;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRuntimeMetricsImpl;
import org.apache.kafka.coordinator.common.runtime.MultiThreadedEventProcessor;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.coordinator.transaction.AddPartitionsToTxnConfig;
import org.apache.kafka.coordinator.transaction.TransactionLogConfig;
import org.apache.kafka.coordinator.transaction.TransactionStateManagerConfig;
import org.apache.kafka.server.common.TransactionVersion;
import org.apache.kafka.server.util.timer.SystemTimer;
import org.apache.kafka.server.util.timer.SystemTimerReaper;
import org.jspecify.annotations.Nullable;

/**
 * The transaction coordinator on our partitions of {@code __transaction_state}: put together here,
 * told of elections, and of time.
 *
 * <p>{@link #start} once the metadata is loaded, the partitions listen to it, and there is a group
 * coordinator, which writes the markers of offsets.
 */
public final class TransactionHost implements Elections.Candidate, AutoCloseable {
  private static final String TOPIC = Topic.TRANSACTION_STATE_TOPIC_NAME;
  private static final int THREADS = 2;

  /** What is kept of a buffer for writing records, which are small. */
  private static final int BUFFER_BYTES = 512 << 10;

  /**
   * What it uses of the process.
   *
   * @param background ended by {@link #close()}, as is loading
   * @param verifies whether logs refuse what was not verified
   */
  public record Surroundings(
      ScheduledExecutorService loading,
      ScheduledExecutorService timer,
      ExecutorService background,
      InstantSource clock,
      BooleanSupplier verifies) {}

  private final ControlPlane control;
  private final Partitions partitions;
  private final Surroundings process;
  private final TransactionStateManagerConfig config;
  private final Tenures tenures = new Tenures();
  private final Subscription images;
  private final TransactionFormat format;
  private final LogLoader<TransactionRecord> loader;
  private final CoordinatorRuntime<TransactionShard, TransactionRecord> runtime;
  private final TransactionCoordinator coordinator;
  private final Verification verification;

  /** Answered when the replicas in sync have a marker: nobody else is to wait for that. */
  private final PeerRequests markersElsewhere;

  private final PeerRequests coordinatorsElsewhere;
  private @Nullable MarkerDelivery delivery;
  private @Nullable Markers markers;

  public TransactionHost(ControlPlane control, Partitions partitions, Surroundings process) {
    this.control = control;
    this.partitions = partitions;
    this.process = process;
    this.config = new TransactionStateManagerConfig(control.kafkaConfig());
    TransactionLogConfig log = new TransactionLogConfig(control.kafkaConfig());
    this.format = new TransactionFormat(() -> version(control));
    this.loader =
        new LogLoader<>(
            new Offices(partitions, control::view),
            format,
            log.transactionLoadBufferSize(),
            process.loading(),
            process.clock()::millis);
    this.runtime = runtime();
    this.images = new Subscription(new Elections(TOPIC, control.view().nodeId(), this));
    this.coordinator =
        new TransactionCoordinator(
            control, runtime, log.transactionTopicPartitions(), process.clock());
    this.markersElsewhere = control.peers().requests("transaction-markers");
    this.coordinatorsElsewhere = control.peers().requests("transaction-verification");
    this.verification =
        new Verification(
            partitions,
            coordinator,
            new RemoteCoordinators(coordinatorsElsewhere),
            new Verification.Terms(
                process.verifies(), new AddPartitionsToTxnConfig(control.kafkaConfig())),
            process.timer());
  }

  private CoordinatorRuntime<TransactionShard, TransactionRecord> runtime() {
    CoordinatorRuntimeMetrics metrics =
        new CoordinatorRuntimeMetricsImpl(
            control.kafkaMetrics(), TransactionStateManagerConfig.METRICS_GROUP, false);
    return new CoordinatorRuntime.Builder<TransactionShard, TransactionRecord>()
        .withTime(Time.SYSTEM)
        .withTimer(new SystemTimerReaper("transaction-reaper", new SystemTimer("transaction")))
        .withLogPrefix("[transactions] ")
        .withEventProcessor(
            new MultiThreadedEventProcessor(
                new LogContext("[transactions] "), "transaction-", THREADS, Time.SYSTEM, metrics))
        .withPartitionWriter(new PartitionAppends(partitions, OffsetVerification.NONE))
        .withLoader(loader)
        .withCoordinatorShardBuilderSupplier(() -> new ShardBuilder(this::resume))
        .withWriteTimeout(Duration.ofMillis(control.kafkaConfig().requestTimeoutMs()))
        .withCoordinatorRuntimeMetrics(metrics)
        .withCoordinatorMetrics(new NoShardMetrics())
        .withSerializer(format)
        .withCompression(Compression.NONE)
        .withAppendLingerMs(OptionalInt.empty())
        .withExecutorService(process.background())
        .withCachedBufferMaxBytesSupplier(() -> BUFFER_BYTES)
        .build();
  }

  /** The version of transactions of the cluster. */
  static TransactionVersion version(ControlPlane control) {
    return TransactionVersion.fromFeatureLevel(
        control
            .view()
            .finalizedFeatures()
            .getOrDefault(TransactionVersion.FEATURE_NAME, (short) 0));
  }

  /** What handlers ask; every call is asynchronous. */
  public TransactionCoordinator coordinator() {
    return coordinator;
  }

  /** By which transactions are timed. */
  public InstantSource clock() {
    return process.clock();
  }

  /** Asked before records of transactions are appended. */
  public Verification verification() {
    return verification;
  }

  /** Writes markers into partitions led here, for whoever coordinates their transactions. */
  public Markers markers() {
    if (markers == null) {
      throw new IllegalStateException("asked before the start");
    }
    return markers;
  }

  /** Gets the group coordinator, which is itself put together with the verification of this one. */
  public void prepare(GroupCoordinator groups) {
    Markers local = new LocalMarkers(partitions, groups);
    markers = new TimedMarkers(local, process.timer(), control.peers().requestTimeoutMs() / 2);
    RemoteMarkers remote = new RemoteMarkers(markersElsewhere);
    int nodeId = control.view().nodeId();
    delivery =
        new MarkerDelivery(
            control::view,
            tenures,
            broker -> broker == nodeId ? local : remote.of(broker),
            coordinator::complete,
            process.timer());
    coordinator.deliverBy(delivery);
  }

  /** Begins to serve. */
  public void start() {
    control.listenToImages(images);
    repeat(coordinator::endOverdue, config.transactionAbortTimedOutTransactionCleanupIntervalMs());
    repeat(
        coordinator::forgetIdle, config.transactionRemoveExpiredTransactionalIdCleanupIntervalMs());
  }

  private void repeat(Runnable step, long everyMs) {
    var unused =
        process.timer().scheduleWithFixedDelay(step, everyMs, everyMs, TimeUnit.MILLISECONDS);
  }

  @Override
  public void elected(int partition, int leaderEpoch) {
    tenures.begin(partition, leaderEpoch);
    runtime.scheduleLoadOperation(new TopicPartition(TOPIC, partition), leaderEpoch);
  }

  @Override
  public void resigned(int partition, OptionalInt leaderEpoch) {
    tenures.end(partition);
    if (delivery != null) {
      delivery.drop(partition);
    }
    TopicPartition tp = new TopicPartition(TOPIC, partition);
    loader.resigned(tp);
    runtime.scheduleUnloadOperation(tp, leaderEpoch);
  }

  private void resume(int partition, Map<String, Transaction> unfinished) {
    if (delivery != null) {
      MarkerDelivery now = delivery;
      unfinished.forEach((id, prepared) -> now.begin(partition, id, prepared));
    }
  }

  /** Stops serving; state is in the log. */
  @Override
  public void close() {
    images.close();
    Utils.closeQuietly(runtime, "transaction coordinator");
    markersElsewhere.close();
    coordinatorsElsewhere.close();
  }
}

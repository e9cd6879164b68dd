package io.strandline.broker.share;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.coordinator.Elections;
import io.strandline.broker.coordinator.LogLoader;
import io.strandline.broker.coordinator.Offices;
import io.strandline.broker.coordinator.OffsetVerification;
import io.strandline.broker.coordinator.PartitionAppends;
import io.strandline.broker.coordinator.Subscription;
import io.strandline.broker.partition.Partitions;
import java.util.OptionalInt;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.coordinator.share.ShareCoordinator;
import org.apache.kafka.coordinator.share.ShareCoordinatorConfig;
import org.apache.kafka.coordinator.share.ShareCoordinatorRecordSerde;
import org.apache.kafka.coordinator.share.ShareCoordinatorService;
import org.apache.kafka.coordinator.share.metrics.ShareCoordinatorMetrics;
import org.apache.kafka.coordinator.share.metrics.ShareCoordinatorRuntimeMetrics;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.common.ShareVersion;
import org.apache.kafka.server.share.SharePartitionKey;
import org.apache.kafka.server.share.persister.DefaultStatePersister;
import org.apache.kafka.server.share.persister.NoOpStatePersister;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.util.timer.SystemTimer;
import org.apache.kafka.server.util.timer.SystemTimerReaper;

/**
 * Kafka's share coordinator on our partitions of {@code __share_group_state}: what each share group
 * has done with each partition.
 *
 * <p>{@link #start()} once the metadata is loaded and the partitions listen to it.
 */
public final class ShareHost implements AutoCloseable {
  private final ControlPlane control;
  private final ShareCoordinatorConfig config;
  private final ShareCoordinatorService service;
  private final Elections elections;
  private final Subscription images = new Subscription(this::follow);
  private final Persister persister;

  /**
   * @param loading one thread for reading state back, ended by {@link #close()}
   * @param timer for what is tried again
   * @throws ConfigException {@code group.share.persister.class.name} names another than Kafka's two
   */
  public ShareHost(
      ControlPlane control,
      Partitions partitions,
      ScheduledExecutorService loading,
      ScheduledExecutorService timer) {
    this.control = control;
    this.config = new ShareCoordinatorConfig(control.kafkaConfig());
    int nodeId = control.view().nodeId();
    LogLoader<CoordinatorRecord> loader =
        new LogLoader<>(
            new Offices(partitions, control::view),
            new ShareCoordinatorRecordSerde(),
            config.shareCoordinatorLoadBufferSize(),
            loading,
            Time.SYSTEM::milliseconds);
    this.service =
        new ShareCoordinatorService.Builder(nodeId, config)
            .withTime(Time.SYSTEM)
            .withTimer(new SystemTimerReaper("share-reaper", new SystemTimer("share")))
            .withLoader(loader)
            .withWriter(new PartitionAppends(partitions, OffsetVerification.NONE))
            .withCoordinatorRuntimeMetrics(
                new ShareCoordinatorRuntimeMetrics(control.kafkaMetrics()))
            .withCoordinatorMetrics(new ShareCoordinatorMetrics(control.kafkaMetrics()))
            .build();
    this.elections =
        new Elections(Topic.SHARE_GROUP_STATE_TOPIC_NAME, nodeId, new Candidate(service, loader));
    this.persister =
        keptNowhere(new ShareGroupConfig(control.kafkaConfig()).shareGroupPersisterClassName())
            ? new NoOpStatePersister()
            : routed(timer);
  }

  private Persister routed(ScheduledExecutorService timer) {
    StateHomes homes = new StateHomes(control, service::partitionFor);
    return new RoutedPersister(control, homes, new LocalPersister(homes, service, timer), timer);
  }

  /** Whether the state of share groups is to be lost with their leader, and needs no topic. */
  private static boolean keptNowhere(String persister) {
    if (persister.isEmpty() || persister.equals(NoOpStatePersister.class.getName())) {
      return true;
    }
    if (persister.equals(DefaultStatePersister.class.getName())) {
      return false;
    }
    throw new ConfigException(
        ShareGroupConfig.SHARE_GROUP_PERSISTER_CLASS_NAME_CONFIG,
        persister,
        "Kafka's DefaultStatePersister, its NoOpStatePersister, or nothing");
  }

  /** Whether share groups are switched on by the feature {@code share.version}. */
  public boolean enabled() {
    return ShareVersion.fromFeatureLevel(
            control.view().finalizedFeatures().getOrDefault(ShareVersion.FEATURE_NAME, (short) 0))
        .supportsShareGroups();
  }

  /** What handlers of requests between brokers ask; every call is asynchronous. */
  public ShareCoordinator coordinator() {
    return service;
  }

  /**
   * The partition of {@code __share_group_state} that has the state of this key.
   *
   * @throws IllegalArgumentException the key is not {@code group:topic id:partition}
   */
  public int partitionFor(String key) {
    return service.partitionFor(SharePartitionKey.getInstance(key));
  }

  /** What the group coordinator and share partitions here write to. */
  public Persister persister() {
    return persister;
  }

  /**
   * Begins to serve. The number of partitions of {@code __share_group_state} is fixed now: as it
   * is, or as configured when the topic is not there yet.
   */
  public void start() {
    service.startup(
        () ->
            control
                .view()
                .partitionCount(Topic.SHARE_GROUP_STATE_TOPIC_NAME)
                .orElse(config.shareCoordinatorStateTopicNumPartitions()));
    control.listenToImages(images);
  }

  private void follow(MetadataDelta delta, MetadataImage image) {
    elections.onImage(delta, image);
    service.onMetadataUpdate(delta, image);
  }

  /** The coordinator's name for what {@link Elections} tells. */
  private record Candidate(ShareCoordinatorService service, LogLoader<?> loader)
      implements Elections.Candidate {
    @Override
    public void elected(int partition, int leaderEpoch) {
      service.onElection(partition, leaderEpoch);
    }

    @Override
    public void resigned(int partition, OptionalInt leaderEpoch) {
      loader.resigned(new TopicPartition(Topic.SHARE_GROUP_STATE_TOPIC_NAME, partition));
      service.onResignation(partition, leaderEpoch);
    }
  }

  /** Stops serving; state is in the log. */
  @Override
  public void close() {
    images.close();
    persister.stop();
    service.shutdown();
  }
}

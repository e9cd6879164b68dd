package io.strandline.broker.group;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.coordinator.Elections;
import io.strandline.broker.coordinator.LogLoader;
import io.strandline.broker.coordinator.Offices;
import io.strandline.broker.coordinator.OffsetVerification;
import io.strandline.broker.coordinator.PartitionAppends;
import io.strandline.broker.coordinator.Subscription;
import io.strandline.broker.partition.Partitions;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.concurrent.ScheduledExecutorService;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.coordinator.common.runtime.CoordinatorRecord;
import org.apache.kafka.coordinator.group.Group;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.coordinator.group.GroupConfigManager;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.coordinator.group.GroupCoordinatorConfig;
import org.apache.kafka.coordinator.group.GroupCoordinatorRecordSerde;
import org.apache.kafka.coordinator.group.GroupCoordinatorService;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorMetrics;
import org.apache.kafka.coordinator.group.metrics.GroupCoordinatorRuntimeMetrics;
import org.apache.kafka.coordinator.group.modern.share.ShareGroupConfig;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.authorizer.Authorizer;
import org.apache.kafka.server.common.GroupVersion;
import org.apache.kafka.server.common.StreamsVersion;
import org.apache.kafka.server.metrics.KafkaYammerMetrics;
import org.apache.kafka.server.share.persister.Persister;
import org.apache.kafka.server.util.timer.SystemTimer;
import org.apache.kafka.server.util.timer.SystemTimerReaper;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's group coordinator on our partitions of {@code __consumer_offsets}: classic groups, those
 * of KIP-848, streams groups, and the members of share groups.
 *
 * <p>{@link #start()} once the metadata is loaded and the partitions listen to it; from then on
 * elections and resignations reach the coordinator after the partitions heard of them.
 */
public final class GroupHost implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(GroupHost.class);

  /**
   * The coordinators beside it.
   *
   * @param verification of partitions of offsets in transactions
   * @param persister of the state of share groups
   */
  public record Neighbours(OffsetVerification verification, Persister persister) {}

  private final ControlPlane control;
  private final GroupCoordinatorConfig config;
  private final boolean consumerConfigured;
  private final boolean streamsConfigured;
  private final GroupConfigManager groupConfigs;

  /** Kafka's constant for it is marked for removal; the key is not. */
  private static final String REBALANCE_PROTOCOLS = "group.coordinator.rebalance.protocols";

  private final ShareGroupConfig shareConfig;
  private final GroupCoordinatorService service;
  private final Elections elections;
  private final Subscription images = new Subscription(this::follow);
  private final LatestOffsets latestOffsets;

  /**
   * @param authorizer judges which topics a subscription by pattern may match
   * @param loading one thread for reading state back, ended by {@link #close()}
   */
  public GroupHost(
      ControlPlane control,
      Partitions partitions,
      Optional<Plugin<Authorizer>> authorizer,
      Neighbours neighbours,
      ScheduledExecutorService loading) {
    this.control = control;
    int nodeId = control.view().nodeId();
    this.config = new GroupCoordinatorConfig(control.kafkaConfig());
    this.consumerConfigured = configured(control, Group.GroupType.CONSUMER);
    this.streamsConfigured = configured(control, Group.GroupType.STREAMS);
    this.shareConfig = new ShareGroupConfig(control.kafkaConfig());
    this.groupConfigs =
        new GroupConfigManager(config.extractGroupConfigMap(shareConfig), config, shareConfig);
    this.latestOffsets =
        new LatestOffsets(control::view, partitions, control.peers().requests("group-offsets"));
    LogLoader<CoordinatorRecord> loader =
        new LogLoader<>(
            new Offices(partitions, control::view),
            new GroupCoordinatorRecordSerde(),
            config.offsetsLoadBufferSize(),
            loading,
            Time.SYSTEM::milliseconds);
    this.service =
        new GroupCoordinatorService.Builder(nodeId, config)
            .withTime(Time.SYSTEM)
            .withTimer(new SystemTimerReaper("group-reaper", new SystemTimer("group")))
            .withLoader(loader)
            .withWriter(new PartitionAppends(partitions, neighbours.verification))
            .withCoordinatorRuntimeMetrics(
                new GroupCoordinatorRuntimeMetrics(control.kafkaMetrics()))
            .withGroupCoordinatorMetrics(
                new GroupCoordinatorMetrics(
                    KafkaYammerMetrics.defaultRegistry(), control.kafkaMetrics()))
            .withGroupConfigManager(groupConfigs)
            .withPersister(neighbours.persister)
            .withAuthorizerPlugin(authorizer)
            .withPartitionMetadataClient(latestOffsets)
            .build();
    this.elections =
        new Elections(Topic.GROUP_METADATA_TOPIC_NAME, nodeId, new Candidate(service, loader));
  }

  /**
   * Whether the groups of KIP-848 are switched on: in {@code group.coordinator.rebalance.protocols}
   * and by the feature {@code group.version}.
   */
  public boolean consumerProtocol() {
    return consumerConfigured
        && GroupVersion.fromFeatureLevel(
                control
                    .view()
                    .finalizedFeatures()
                    .getOrDefault(GroupVersion.FEATURE_NAME, (short) 0))
            .isConsumerRebalanceProtocolSupported();
  }

  /** Whether streams groups (KIP-1071) are switched on, there and by {@code streams.version}. */
  public boolean streamsProtocol() {
    return streamsConfigured
        && StreamsVersion.fromFeatureLevel(
                control
                    .view()
                    .finalizedFeatures()
                    .getOrDefault(StreamsVersion.FEATURE_NAME, (short) 0))
            .streamsGroupSupported();
  }

  /** How often members of a streams group are to be heard of. */
  public int streamsHeartbeatMs(String group) {
    return groupConfigs
        .groupConfig(group)
        .map(GroupConfig::streamsHeartbeatIntervalMs)
        .orElseGet(config::streamsGroupHeartbeatIntervalMs);
  }

  private static boolean configured(ControlPlane control, Group.GroupType type) {
    return control.kafkaConfig().getList(REBALANCE_PROTOCOLS).stream()
        .anyMatch(type.toString()::equalsIgnoreCase);
  }

  /** The settings of groups as the metadata says now. */
  public GroupConfigManager configs() {
    return groupConfigs;
  }

  /** What holds of share groups that have no settings of their own. */
  public ShareGroupConfig shareDefaults() {
    return shareConfig;
  }

  /** What handlers ask; every call is asynchronous. */
  public GroupCoordinator coordinator() {
    return service;
  }

  /**
   * Begins to serve. The number of partitions of {@code __consumer_offsets} is fixed now: as it is,
   * or as configured when the topic is not there yet.
   */
  public void start() {
    service.startup(
        () ->
            control
                .view()
                .partitionCount(Topic.GROUP_METADATA_TOPIC_NAME)
                .orElse(config.offsetsTopicPartitions()));
    control.listenToImages(images);
  }

  private void follow(MetadataDelta delta, MetadataImage image) {
    elections.onImage(delta, image);
    if (delta.configsDelta() != null) {
      configure(delta, image);
    }
    service.onMetadataUpdate(delta, image);
  }

  /** The coordinator's name for what {@link Elections} tells. */
  private record Candidate(GroupCoordinatorService service, LogLoader<?> loader)
      implements Elections.Candidate {
    @Override
    public void elected(int partition, int leaderEpoch) {
      service.onElection(partition, leaderEpoch);
    }

    @Override
    public void resigned(int partition, OptionalInt leaderEpoch) {
      loader.resigned(new TopicPartition(Topic.GROUP_METADATA_TOPIC_NAME, partition));
      service.onResignation(partition, leaderEpoch);
    }
  }

  private void configure(MetadataDelta delta, MetadataImage image) {
    for (ConfigResource resource : delta.configsDelta().changes().keySet()) {
      if (resource.type() != ConfigResource.Type.GROUP) {
        continue;
      }
      try {
        service.updateGroupConfig(resource.name(), image.configs().configProperties(resource));
      } catch (RuntimeException invalid) {
        LOG.atWarn()
            .addKeyValue("key", resource.name())
            .setCause(invalid)
            .log("configuration of a group was not taken over");
      }
    }
  }

  /** Stops serving; state is in the log. */
  @Override
  public void close() {
    images.close();
    service.shutdown();
    latestOffsets.close();
  }
}

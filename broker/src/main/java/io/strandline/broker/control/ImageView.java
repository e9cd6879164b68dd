package io.strandline.broker.control;

import io.strandline.broker.control.config.ConfigDescriptions;
import io.strandline.broker.control.config.EffectiveConfig;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Supplier;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.DirectoryId;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.config.TopicConfig;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.TopicImage;
import org.apache.kafka.metadata.BrokerRegistration;
import org.apache.kafka.metadata.KRaftMetadataCache;
import org.apache.kafka.metadata.LeaderRecoveryState;
import org.apache.kafka.metadata.PartitionRegistration;
import org.apache.kafka.metadata.Replicas;
import org.apache.kafka.metadata.VersionRange;
import org.apache.kafka.server.common.KRaftVersion;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/** A {@link ClusterView} over one of Kafka's metadata images, answered by Kafka's own cache. */
final class ImageView implements ClusterView {
  /** Of Kafka's {@code TopicBasedRemoteLogMetadataManager}, the one that it comes with. */
  private static final String REMOTE_LOG_METADATA = "__remote_log_metadata";

  private final String clusterId;
  private final int nodeId;
  private final MetadataImage image;
  private final EffectiveConfig config;
  private final KRaftMetadataCache cache;

  ImageView(
      String clusterId,
      EffectiveConfig config,
      MetadataImage image,
      Supplier<KRaftVersion> kraftVersion) {
    this.clusterId = clusterId;
    this.nodeId = config.kafka().nodeId();
    this.image = image;
    this.config = config;
    this.cache = new KRaftMetadataCache(nodeId, kraftVersion);
    cache.setImage(image);
  }

  MetadataImage image() {
    return image;
  }

  KRaftMetadataCache cache() {
    return cache;
  }

  EffectiveConfig config() {
    return config;
  }

  @Override
  public long offset() {
    return image.isEmpty() ? -1 : image.offset();
  }

  @Override
  public String clusterId() {
    return clusterId;
  }

  @Override
  public int nodeId() {
    return nodeId;
  }

  @Override
  public int controllerForClients(String listener) {
    int random = cache.getRandomAliveBrokerId().orElse(-1);
    if (random < 0 || broker(random, listener).isPresent()) {
      return random;
    }
    List<Node> nodes = brokers(listener); // one that they can not reach would be none to them
    return nodes.isEmpty() ? -1 : nodes.get(Math.floorMod(random, nodes.size())).id();
  }

  @Override
  public Map<String, Short> finalizedFeatures() {
    return image.features().metadataVersion().isEmpty()
        ? Map.of()
        : cache.features().finalizedFeatures();
  }

  @Override
  public short metadataLevel() {
    return image.features().metadataVersion().map(known -> known.featureLevel()).orElse((short) -1);
  }

  @Override
  public List<Node> brokers(String listener) {
    return cache.getAliveBrokerNodes(new ListenerName(listener));
  }

  @Override
  public List<Node> brokersWithFenced(String listener) {
    return cache.getBrokerNodes(new ListenerName(listener));
  }

  @Override
  public Optional<Node> broker(int id, String listener) {
    return cache.getAliveBrokerNode(id, new ListenerName(listener));
  }

  @Override
  public boolean fenced(int broker) {
    return cache.isBrokerFenced(broker);
  }

  @Override
  public boolean shuttingDown(int broker) {
    return cache.isBrokerShuttingDown(broker);
  }

  @Override
  public OptionalLong brokerEpoch(int broker) {
    BrokerRegistration registration = image.cluster().broker(broker);
    return registration == null || registration.fenced()
        ? OptionalLong.empty()
        : OptionalLong.of(registration.epoch());
  }

  @Override
  public boolean ours(int broker) {
    BrokerRegistration registration = image.cluster().broker(broker);
    return registration != null && registration.supportedFeatures().containsKey(Registration.OURS);
  }

  @Override
  public OptionalInt withAnotherStore(String store, long brokerEpoch) {
    return image.cluster().brokers().values().stream()
        .filter(other -> !other.fenced() && other.epoch() < brokerEpoch)
        .filter(
            other -> {
              VersionRange marks = other.supportedFeatures().get(Registration.STORE);
              return marks != null && marks.max() != Registration.mark(store);
            })
        .mapToInt(BrokerRegistration::id)
        .findFirst();
  }

  @Override
  public Set<String> topics() {
    return cache.getAllTopics();
  }

  @Override
  public Uuid topicId(String topic) {
    return cache.getTopicId(topic);
  }

  @Override
  public @Nullable String topicName(Uuid id) {
    TopicImage topic = image.topics().getTopic(id);
    return topic == null ? null : topic.name();
  }

  @Override
  public Map<Uuid, String> topicNames() {
    return cache.topicIdsToNames();
  }

  @Override
  public Map<String, Uuid> topicIds() {
    return cache.topicNamesToIds();
  }

  @Override
  public OptionalInt partitionCount(String topic) {
    TopicImage known = image.topics().getTopic(topic);
    return known == null ? OptionalInt.empty() : OptionalInt.of(known.partitions().size());
  }

  @Override
  public Optional<PartitionState> partition(TopicPartition partition) {
    TopicImage topic = image.topics().getTopic(partition.topic());
    if (topic == null) {
      return Optional.empty();
    }
    PartitionRegistration found = topic.partitions().get(partition.partition());
    return found == null
        ? Optional.empty()
        : Optional.of(state(new TopicIdPartition(topic.id(), partition), found, nodeId));
  }

  /** Kafka's registration of a partition, as this broker passes it on. */
  static PartitionState state(TopicIdPartition id, PartitionRegistration from, int nodeId) {
    return new PartitionState(
        id,
        from.leader,
        from.leaderEpoch,
        from.partitionEpoch,
        Replicas.toList(from.replicas),
        Replicas.toList(from.isr),
        Replicas.toList(from.elr),
        Replicas.toList(from.addingReplicas),
        Replicas.toList(from.removingReplicas),
        Replicas.contains(from.replicas, nodeId) ? from.directory(nodeId) : DirectoryId.UNASSIGNED,
        from.leaderRecoveryState == LeaderRecoveryState.RECOVERING);
  }

  @Override
  public Optional<Node> leaderEndpoint(TopicPartition partition, String listener) {
    return cache.getPartitionLeaderEndpoint(
        partition.topic(), partition.partition(), new ListenerName(listener));
  }

  @Override
  public Map<Integer, Node> replicaEndpoints(TopicPartition partition, String listener) {
    return cache.getPartitionReplicaEndpoints(partition, new ListenerName(listener));
  }

  @Override
  public List<MetadataResponseTopic> topicMetadata(
      Set<String> topics,
      String listener,
      boolean errorUnavailableEndpoints,
      boolean errorUnavailableListeners) {
    return cache.getTopicMetadata(
        topics, new ListenerName(listener), errorUnavailableEndpoints, errorUnavailableListeners);
  }

  @Override
  public DescribeTopicPartitionsResponseData describeTopicPartitions(
      Iterator<String> topics,
      String listener,
      ToIntFunction<String> firstPartition,
      int maxPartitions,
      boolean ignoreUnknown) {
    return cache.describeTopicResponse(
        topics,
        new ListenerName(listener),
        firstPartition::applyAsInt,
        maxPartitions,
        ignoreUnknown);
  }

  @Override
  public LogConfig logConfig(String topic) {
    return config.topic(topicOverrides(topic));
  }

  @Override
  public long brokerNumber(String key) {
    return ((Number) config.kafka().get(key)).longValue();
  }

  @Override
  public Optional<Object> changedValue(String key) {
    return config.changed(key);
  }

  @Override
  public Map<String, String> topicOverrides(String topic) {
    return image
        .configs()
        .configMapForResource(new ConfigResource(ConfigResource.Type.TOPIC, topic));
  }

  @Override
  public boolean tieredByKafka(String topic) {
    return image.topics().getTopic(REMOTE_LOG_METADATA) != null
        && "true".equals(topicOverrides(topic).get(TopicConfig.REMOTE_LOG_STORAGE_ENABLE_CONFIG));
  }

  @Override
  public Map<String, String> clusterOverrides() {
    return image.configs().configMapForResource(new ConfigResource(ConfigResource.Type.BROKER, ""));
  }

  @Override
  public Map<String, String> groupOverrides(String group) {
    return image
        .configs()
        .configMapForResource(new ConfigResource(ConfigResource.Type.GROUP, group));
  }

  @Override
  public DescribeConfigsResult describeConfigs(
      DescribeConfigsResource resource, boolean synonyms, boolean documentation) {
    return new ConfigDescriptions(image, config, synonyms, documentation).describe(resource);
  }

  @Override
  public Collection<String> configuredResources(byte resourceType) {
    List<String> names = new ArrayList<>();
    for (ConfigResource resource : image.configs().resourceData().keySet()) {
      if (resource.type().id() == resourceType) {
        names.add(resource.name());
      }
    }
    return names;
  }

  @Override
  public DescribeClientQuotasResponseData describeClientQuotas(
      DescribeClientQuotasRequestData request) {
    return cache.describeClientQuotas(request);
  }

  @Override
  public DescribeUserScramCredentialsResponseData describeScramCredentials(
      DescribeUserScramCredentialsRequestData request) {
    return cache.describeScramCredentials(request);
  }
}

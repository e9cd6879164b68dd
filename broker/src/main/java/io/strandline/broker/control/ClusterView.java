package io.strandline.broker.control;

import java.util.Collection;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.ToIntFunction;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.DescribeClientQuotasRequestData;
import org.apache.kafka.common.message.DescribeClientQuotasResponseData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeTopicPartitionsResponseData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsRequestData;
import org.apache.kafka.common.message.DescribeUserScramCredentialsResponseData;
import org.apache.kafka.common.message.MetadataResponseData.MetadataResponseTopic;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * The cluster at one metadata offset: immutable, consistent in itself, free of locks. Take it once
 * per request and use it to the end of the request. The only form in which the rest of the broker
 * sees Kafka's metadata.
 */
public interface ClusterView {

  // ---- the cluster and this node

  /** Offset of the last metadata record that is part of this view, -1 for the empty view. */
  long offset();

  /** The cluster's id, 22 characters of base64. */
  String clusterId();

  /** This node's id. */
  int nodeId();

  /**
   * The node that clients are told to send controller requests to: a random live broker that has
   * their listener, which forwards; -1 when none lives.
   */
  int controllerForClients(String listener);

  /** Finalized feature levels by name, for ApiVersions; never empty once loaded. */
  Map<String, Short> finalizedFeatures();

  /** Metadata level of the cluster, as {@code MetadataVersion.featureLevel()}; -1 when unknown. */
  short metadataLevel();

  // ---- brokers

  /** Live brokers that have this listener, by its endpoint there. */
  List<Node> brokers(String listener);

  /** All registered brokers that have this listener, fenced ones included. */
  List<Node> brokersWithFenced(String listener);

  /** A live broker's endpoint; empty when it is fenced, unknown, or lacks the listener. */
  Optional<Node> broker(int id, String listener);

  /** Whether the broker is registered and fenced. */
  boolean fenced(int broker);

  /** Whether the broker is registered and in controlled shutdown. */
  boolean shuttingDown(int broker);

  /** The epoch of a live broker's registration. */
  OptionalLong brokerEpoch(int broker);

  /** Whether the broker is one of ours, and not Apache Kafka's. */
  boolean ours(int broker);

  /**
   * A live broker that registered before this epoch with another object store than this one; empty
   * of those that did not know theirs.
   *
   * @param store identity of a store
   */
  OptionalInt withAnotherStore(String store, long brokerEpoch);

  // ---- topics and partitions

  /** Names of all topics. */
  Set<String> topics();

  /** A topic's id; {@link Uuid#ZERO_UUID} when there is no such topic. */
  Uuid topicId(String topic);

  /** A topic's name by its id, null when there is no such topic. */
  @Nullable String topicName(Uuid id);

  /** All topic ids to names; a view, constant time. */
  Map<Uuid, String> topicNames();

  /** All topic names to ids; a view, constant time. */
  Map<String, Uuid> topicIds();

  /** How many partitions a topic has; empty when there is no such topic. */
  OptionalInt partitionCount(String topic);

  /** A partition's state; empty when topic or partition is unknown. */
  Optional<PartitionState> partition(TopicPartition partition);

  /**
   * The live leader's endpoint: empty when the partition is unknown, {@link Node#noNode()} when its
   * leader is not reachable by this listener.
   */
  Optional<Node> leaderEndpoint(TopicPartition partition, String listener);

  /** Endpoints of the live replicas by node id. */
  Map<Integer, Node> replicaEndpoints(TopicPartition partition, String listener);

  /**
   * Topics as a Metadata response has them; topics that do not exist are left out (the caller
   * answers UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE or creates them).
   *
   * @param errorUnavailableEndpoints true for Metadata v0: a replica that is down is an error, and
   *     is left out of the lists
   * @param errorUnavailableListeners true from Metadata v6: LISTENER_NOT_FOUND when the leader
   *     lacks the listener, else LEADER_NOT_AVAILABLE
   */
  List<MetadataResponseTopic> topicMetadata(
      Set<String> topics,
      String listener,
      boolean errorUnavailableEndpoints,
      boolean errorUnavailableListeners);

  /**
   * The body of a DescribeTopicPartitions response, with its cursor.
   *
   * @param topics names in ascending order
   * @param firstPartition for each topic the partition to begin with
   * @param maxPartitions at most so many partitions
   * @param ignoreUnknown leave out unknown topics instead of answering an error for them
   */
  DescribeTopicPartitionsResponseData describeTopicPartitions(
      Iterator<String> topics,
      String listener,
      ToIntFunction<String> firstPartition,
      int maxPartitions,
      boolean ignoreUnknown);

  // ---- configuration

  /**
   * The effective configuration of a topic: its own overrides on the broker's dynamic and static
   * defaults, Kafka's synonyms applied ({@code log.retention.ms} for {@code retention.ms}). Cheap:
   * built once per view and topic.
   */
  LogConfig logConfig(String topic);

  /** A number of this broker's effective configuration, dynamic values included. */
  long brokerNumber(String key);

  /** What Kafka's key of this broker says since it was changed dynamically; empty if it was not. */
  Optional<Object> changedValue(String key);

  /** Only what was set on the topic itself; empty when nothing was, or there is no such topic. */
  Map<String, String> topicOverrides(String topic);

  /**
   * Whether Apache Kafka's brokers tier the topic by remote storage of their own (KIP-405): it is
   * switched on for the topic, and there is the topic in which they note what is there.
   */
  boolean tieredByKafka(String topic);

  /** Only what was set for all brokers of the cluster at once, keys of ours included. */
  Map<String, String> clusterOverrides();

  /** Only what was set on the group itself (KIP-848, KIP-932). */
  Map<String, String> groupOverrides(String group);

  /**
   * What a DescribeConfigs response says of one resource (topic, this broker, group, client
   * metrics, broker logger), errors included. Authorization is the caller's.
   */
  DescribeConfigsResult describeConfigs(
      DescribeConfigsResource resource, boolean synonyms, boolean documentation);

  /** Resources of one type (by {@code ConfigResource.Type.id}) that have configs of their own. */
  Collection<String> configuredResources(byte resourceType);

  // ---- users and quotas

  /** The body of a DescribeClientQuotas response. */
  DescribeClientQuotasResponseData describeClientQuotas(DescribeClientQuotasRequestData request);

  /** The body of a DescribeUserScramCredentials response. */
  DescribeUserScramCredentialsResponseData describeScramCredentials(
      DescribeUserScramCredentialsRequestData request);
}

package io.strandline.broker.control;

import io.strandline.broker.control.config.BrokerChanges;
import io.strandline.broker.control.config.EffectiveConfig;
import io.strandline.broker.control.isr.IsrChange;
import io.strandline.broker.control.isr.IsrRequests;
import io.strandline.broker.control.quorum.Faults;
import io.strandline.broker.control.quorum.KraftNode;
import io.strandline.broker.control.quorum.QuorumStanding;
import io.strandline.broker.control.quorum.SteadyTime;
import io.strandline.broker.control.quorum.Storage;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.function.Predicate;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType.ListenerType;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.coordinator.transaction.ProducerIdManager;
import org.apache.kafka.image.publisher.BrokerRegistrationTracker;
import org.apache.kafka.raft.KRaftConfigs;
import org.apache.kafka.server.AssignmentsManager;
import org.apache.kafka.server.KRaftTopicCreator;
import org.apache.kafka.server.common.MetadataVersion;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.ServerLogConfigs;
import org.jspecify.annotations.Nullable;
import scala.jdk.javaapi.CollectionConverters;

/**
 * The {@link ControlPlane} on Kafka's KRaft. This class only puts the parts together: storage, the
 * node in the quorum, the feed of metadata, the channels to the controller, the registration.
 */
public final class KraftControlPlane implements ControlPlane {
  private final Storage storage;
  private final Faults faults;
  private final KraftNode node;
  private final MetadataFeed feed;
  private final Channels channels;
  private final Registration registration;
  private final AssignmentsManager assignments;
  private final TopicCreation creation;
  private final ProducerIdManager producerIds;
  private final ControlConfig wanted;
  private final IsrRequests isr;
  private final BrokerChanges changes;
  private final Peers peers;

  private KraftControlPlane(KraftNode node, ControlConfig wanted) {
    this.node = node;
    this.wanted = wanted;
    this.storage = node.storage();
    this.faults = node.faults();
    KafkaConfig config = node.brokerConfig();
    this.feed =
        new MetadataFeed(
            storage.clusterId(),
            EffectiveConfig.ofFile(config),
            node.loader(),
            () -> node.raft().client().kraftVersion(),
            faults.build("metadata publishing", false, () -> {}));
    this.changes = new BrokerChanges(config, resource -> feed.view().cache().config(resource));
    this.peers = new Peers(config, node.metrics(), feed::view);
    this.channels = new Channels(node.raft(), config, node.metrics());
    this.registration =
        new Registration(
            config,
            storage,
            wanted::serves,
            () -> faults.fatal("this broker lost its registration", null),
            this::cordons);
    changes.follow(
        Set.of(ServerLogConfigs.CORDONED_LOG_DIRS_CONFIG),
        now -> registration.cordon(now.cordonedLogDirs()));
    this.assignments =
        new AssignmentsManager(
            SteadyTime.STEADY,
            channels.assignments(),
            config.nodeId(),
            () -> feed.view().image(),
            id -> storage.pathOf(id).toString());
    this.isr =
        new IsrRequests(channels.isr(), SteadyTime.STEADY, config.nodeId(), registration::epoch);
    this.creation = new TopicCreation(new KRaftTopicCreator(channels.requests()), config);
    this.producerIds =
        ProducerIdManager.rpc(
            config.nodeId(), SteadyTime.STEADY, registration::epoch, channels.requests());
  }

  /**
   * Formats the directories if need be and joins the quorum. Returns when the node's parts run;
   * {@link #loaded()} tells when the metadata is there. The caller holds the locks of the
   * directories.
   *
   * @param broken log directories that could not be opened
   * @param ids where ids of clusters and directories come from
   * @throws ControlException when the configuration, the directories or the controller's port do
   *     not allow it
   */
  public static KraftControlPlane open(ControlConfig wanted, Set<Path> broken, Supplier<Uuid> ids) {
    KraftNode node = KraftNode.open(wanted, broken, ids);
    KraftControlPlane plane = new KraftControlPlane(node, wanted);
    plane.feed.start();
    plane.feed.add(
        new BrokerRegistrationTracker(node.brokerConfig().nodeId(), plane.registration::refresh));
    return plane;
  }

  /** Before the first metadata nothing is known of its level; what is cordoned is told later. */
  private boolean cordons() {
    return feed.view()
        .image()
        .features()
        .metadataVersion()
        .map(MetadataVersion::isCordonedLogDirsSupported)
        .orElse(false);
  }

  /** The metadata quorum as this node sees it. */
  public QuorumStanding standing() {
    return node.standing();
  }

  @Override
  public ClusterView view() {
    return feed.view();
  }

  @Override
  public CompletableFuture<ClusterView> loaded() {
    return feed.loaded();
  }

  @Override
  public CompletableFuture<ClusterView> seen(Predicate<ClusterView> condition) {
    return feed.seen(condition);
  }

  @Override
  public void listen(MetadataListener listener) {
    feed.listen(listener);
  }

  @Override
  public void listenToImages(ImageListener listener) {
    feed.listenToImages(listener);
  }

  @Override
  public Map<Path, Uuid> directories() {
    return storage.directories();
  }

  @Override
  public List<Endpoint> listeners() {
    return CollectionConverters.asJava(node.brokerConfig().dataPlaneListeners()).stream()
        .filter(listener -> wanted.serves(listener.listener()))
        .toList();
  }

  @Override
  public AbstractKafkaConfig kafkaConfig() {
    return node.brokerConfig();
  }

  @Override
  public AbstractKafkaConfig currentConfig() {
    return feed.view().config().kafka();
  }

  @Override
  public BrokerChanges changes() {
    return changes;
  }

  @Override
  public Metrics kafkaMetrics() {
    return node.metrics();
  }

  @Override
  public Peers peers() {
    return peers;
  }

  @Override
  public void register(Joining joining) {
    registration.start(channels, node.loader()::lastAppliedOffset, joining);
  }

  @Override
  public CompletableFuture<Void> caughtUp() {
    return registration
        .caughtUp()
        .exceptionally(
            failure -> {
              throw failure instanceof CancellationException
                  ? new ControlException(neverRegistered(), failure)
                  : new CompletionException(failure);
            });
  }

  /** Kafka gives up without a reason. */
  private String neverRegistered() {
    Errors refusal = channels.heartbeats().refusal();
    return "no controller registered this broker in time ("
        + KRaftConfigs.INITIAL_BROKER_REGISTRATION_TIMEOUT_MS_CONFIG
        + "): "
        + (refusal == Errors.NONE ? "none answered" : refusal + ", " + refusal.message());
  }

  @Override
  public CompletableFuture<Void> readyToServe() {
    return registration
        .unfence()
        .thenCompose(told -> feed.seen(this::unfenced))
        .thenAccept(any -> {});
  }

  /** This node, and not an earlier or a later one of its id. */
  private boolean unfenced(ClusterView view) {
    OptionalLong live = view.brokerEpoch(view.nodeId());
    return live.isPresent() && live.getAsLong() == registration.epoch();
  }

  @Override
  public boolean serving() {
    return registration.running() && unfenced(feed.view()) && !faults.fatalSeen();
  }

  @Override
  public long brokerEpoch() {
    return registration.epoch();
  }

  @Override
  public CompletableFuture<Void> controlledShutdown() {
    return registration.controlledShutdown();
  }

  @Override
  public long controllerSilentMs() {
    return channels.heartbeats().silentMs();
  }

  @Override
  public void assignDirectory(
      TopicIdPartition replica, Uuid directory, String reason, Runnable done) {
    assignments.onAssignment(
        new org.apache.kafka.server.common.TopicIdPartition(replica.topicId(), replica.partition()),
        directory,
        reason,
        done);
  }

  @Override
  public Set<Path> cordonedDirectories() {
    return cordons()
        ? currentConfig().cordonedLogDirs().stream().map(Path::of).collect(Collectors.toSet())
        : Set.of();
  }

  @Override
  public void directoryFailed(Uuid directory) {
    registration.directoryFailed(directory);
  }

  @Override
  public void onFatal(Runnable stop) {
    faults.onFatal(stop);
  }

  @Override
  public CompletableFuture<AbstractResponse> forward(
      RequestContext context, ByteBuffer wholeRequest) {
    return channels.forward(context, wholeRequest);
  }

  @Override
  public CompletableFuture<AbstractResponse> forward(
      RequestContext context, AbstractRequest rewritten) {
    return channels.forward(context, rewritten);
  }

  @Override
  public CompletableFuture<AbstractResponse> send(AbstractRequest.Builder<?> request) {
    return channels.send(request);
  }

  @Override
  public CompletableFuture<IsrChange.Answer> changeIsr(IsrChange change) {
    return isr.submit(change);
  }

  @Override
  public ApiVersionsResponse apiVersions(Set<ApiKeys> served, boolean alterFeatureLevel0) {
    boolean unstable = node.brokerConfig().unstableApiVersionsEnabled();
    Optional<NodeApiVersions> controller = channels.controllerVersions();
    ApiVersionCollection all =
        controller.isPresent()
            ? ApiVersionsResponse.controllerApiVersions(
                controller.get(), ListenerType.BROKER, unstable, true)
            : ApiVersionsResponse.brokerApiVersions(ListenerType.BROKER, unstable, true);
    ApiVersionCollection mine = new ApiVersionCollection(served.size());
    all.forEach(
        version -> {
          if (served.contains(ApiKeys.forId(version.apiKey()))) {
            mine.add(version.duplicate());
          }
        });
    ImageView view = feed.view();
    return new ApiVersionsResponse.Builder()
        .setThrottleTimeMs(0)
        .setApiVersions(mine)
        .setSupportedFeatures(registration.features().supportedFeatures())
        .setFinalizedFeatures(view.finalizedFeatures())
        .setFinalizedFeaturesEpoch(view.offset())
        .setAlterFeatureLevel0(alterFeatureLevel0)
        .build();
  }

  @Override
  public CompletableFuture<Map<String, ApiError>> createTopics(
      Set<String> topics, @Nullable RequestContext client) {
    return creation.create(topics, client);
  }

  @Override
  public CompletableFuture<Map<String, ApiError>> createTopics(
      Map<String, CreatableTopic> topics, RequestContext client) {
    return creation.create(topics.keySet(), topics::get, client);
  }

  @Override
  public CompletableFuture<Long> nextProducerId() {
    try {
      return CompletableFuture.completedFuture(producerIds.generateProducerId());
    } catch (Exception e) {
      return CompletableFuture.failedFuture(e);
    }
  }

  @Override
  public void close() {
    registration.close();
    isr.close();
    Utils.closeQuietly(assignments::close, "directory assignments");
    channels.close();
    node.close();
  }
}

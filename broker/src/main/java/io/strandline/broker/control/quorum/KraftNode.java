package io.strandline.broker.control.quorum;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.ControlException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.Server;
import kafka.server.SharedServer;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metrics.KafkaMetricsContext;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.image.loader.MetadataLoader;
import org.apache.kafka.raft.LeaderAndEpoch;
import org.apache.kafka.raft.QuorumConfig;
import org.apache.kafka.raft.RaftManager;
import org.apache.kafka.server.ProcessRole;
import org.apache.kafka.server.ServerSocketFactory;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.metrics.MetricConfigs;
import org.jspecify.annotations.Nullable;

/**
 * This node in the metadata quorum: the raft client, the metadata loader with its snapshots and, in
 * the controller role, Kafka's own controller, unmodified. Everything that differs between the
 * roles of a node is in here; the rest of the package sees a raft manager and a loader.
 */
public final class KraftNode implements AutoCloseable {
  private final Storage storage;
  private final Faults faults;
  private final @Nullable ControllerSocket socket;
  private final SharedServer shared;
  private final @Nullable ControllerServer controller;
  private final RaftManager<ApiMessageAndVersion> raft;
  private final MetadataLoader loader;
  private final Metrics metrics;

  private KraftNode(
      Storage storage, Faults faults, @Nullable ControllerSocket socket, Started started) {
    this.storage = storage;
    this.faults = faults;
    this.socket = socket;
    this.shared = started.shared;
    this.controller = started.controller;
    this.metrics = started.metrics;
    this.raft = shared.raftManager();
    this.loader = shared.loader();
  }

  /** Kafka's parts that run. */
  private record Started(
      SharedServer shared, @Nullable ControllerServer controller, Metrics metrics) {}

  /**
   * Formats the directories if need be and joins the quorum; returns before a leader is elected.
   * The caller holds the locks of the log directories of a broker.
   *
   * @param broken log directories that could not be opened
   * @param ids where ids of clusters and directories come from
   * @throws ControlException when the configuration, the directories or the controller's port do
   *     not allow it
   */
  public static KraftNode open(ControlConfig wanted, Set<Path> broken, Supplier<Uuid> ids) {
    ControllerSocket socket = ControllerSocket.bind(wanted);
    try {
      ControlConfig config = socket == null ? wanted : wanted.withControllerPort(socket.port());
      KafkaConfig kafka = config.parse();
      Storage storage = Storage.prepare(config, kafka, broken, ids);
      Faults faults = new Faults();
      ServerSocketFactory sockets = socket == null ? ServerSocketFactory.INSTANCE : socket;
      return new KraftNode(storage, faults, socket, start(kafka, storage, faults, sockets));
    } catch (Throwable e) { // Kafka's parts throw checked exceptions that they do not declare
      if (socket != null) {
        socket.close();
      }
      throw e;
    }
  }

  private static Started start(
      KafkaConfig kafka, Storage storage, Faults faults, ServerSocketFactory sockets) {
    Metrics metrics = Server.initializeMetrics(kafka, Time.SYSTEM, storage.clusterId());
    report(metrics, kafka, storage.clusterId());
    SharedServer shared =
        new SharedServer(
            kafka,
            storage.meta(),
            SteadyTime.STEADY,
            metrics,
            CompletableFuture.completedFuture(
                QuorumConfig.parseVoterConnections(kafka.quorumConfig().voters())),
            QuorumConfig.parseBootstrapServers(kafka.quorumConfig().bootstrapServers()),
            faults,
            sockets);
    ControllerServer controller = null;
    if (kafka.processRoles().contains(ProcessRole.ControllerRole)) {
      controller =
          new ControllerServer(shared, KafkaRaftServer.configSchema(), storage.bootstrap());
      controller.startup();
    }
    if (kafka.processRoles().contains(ProcessRole.BrokerRole)) {
      shared.startForBroker();
    }
    return new Started(shared, controller, metrics);
  }

  /** What stands on this node's disks. */
  public Storage storage() {
    return storage;
  }

  /** Where faults of Kafka's parts end. */
  public Faults faults() {
    return faults;
  }

  /** Kafka's configuration object of the broker role. */
  public KafkaConfig brokerConfig() {
    return shared.brokerConfig();
  }

  public RaftManager<ApiMessageAndVersion> raft() {
    return raft;
  }

  public MetadataLoader loader() {
    return loader;
  }

  /** Adds {@code metric.reporters}: JMX unless it says otherwise. */
  private static void report(Metrics metrics, KafkaConfig kafka, String clusterId) {
    Map<String, Object> labels =
        new HashMap<>(kafka.originalsWithPrefix(CommonClientConfigs.METRICS_CONTEXT_PREFIX));
    labels.put("kafka.cluster.id", clusterId);
    labels.put("kafka.node.id", String.valueOf(kafka.nodeId()));
    KafkaMetricsContext context = new KafkaMetricsContext("kafka.server", labels);
    for (MetricsReporter reporter :
        kafka.getConfiguredInstances(
            MetricConfigs.METRIC_REPORTER_CLASSES_CONFIG, MetricsReporter.class)) {
      reporter.contextChange(context);
      metrics.addReporter(reporter);
    }
  }

  public Metrics metrics() {
    return metrics;
  }

  /** The quorum as this node sees it. */
  public QuorumStanding standing() {
    LeaderAndEpoch leader = raft.client().leaderAndEpoch();
    return new QuorumStanding(
        shared.brokerConfig().nodeId(),
        leader.leaderId().orElse(-1),
        leader.epoch(),
        raft.client().highWatermark().orElse(-1));
  }

  @Override
  public void close() {
    shared.stopForBroker();
    if (controller != null) {
      controller.shutdown();
    }
    if (socket != null) {
      socket.close();
    }
  }
}

package io.strandline.broker.control;

import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import kafka.server.ControllerServer;
import kafka.server.KafkaConfig;
import kafka.server.KafkaRaftServer;
import kafka.server.Server;
import kafka.server.SharedServer;
import org.apache.kafka.clients.CommonClientConfigs;
import org.apache.kafka.common.metrics.KafkaMetricsContext;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.image.loader.MetadataLoader;
import org.apache.kafka.raft.QuorumConfig;
import org.apache.kafka.raft.RaftManager;
import org.apache.kafka.server.ServerSocketFactory;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.metrics.MetricConfigs;
import org.jspecify.annotations.Nullable;

/**
 * This node in the metadata quorum: the raft client, the metadata loader with its snapshots and, in
 * the controller role, Kafka's own controller, unmodified. Everything that differs between the
 * roles of a node is in here; the rest of the package sees a raft manager and a loader.
 */
final class KraftNode implements AutoCloseable {
  private final SharedServer shared;
  private final @Nullable ControllerServer controller;
  private final RaftManager<ApiMessageAndVersion> raft;
  private final MetadataLoader loader;
  private final Metrics metrics;

  private KraftNode(SharedServer shared, @Nullable ControllerServer controller, Metrics metrics) {
    this.shared = shared;
    this.controller = controller;
    this.raft = shared.raftManager();
    this.loader = shared.loader();
    this.metrics = metrics;
  }

  /** Starts the node's part of the quorum; returns before a leader is elected. */
  static KraftNode start(
      KafkaConfig kafka, Storage storage, Faults faults, ServerSocketFactory sockets) {
    Metrics metrics =
        Server.initializeMetrics(kafka, Time.SYSTEM, storage.meta().clusterId().orElseThrow());
    report(metrics, kafka, storage.meta().clusterId().orElseThrow());
    SharedServer shared =
        new SharedServer(
            kafka,
            storage.meta(),
            Time.SYSTEM,
            metrics,
            CompletableFuture.completedFuture(
                QuorumConfig.parseVoterConnections(kafka.quorumConfig().voters())),
            QuorumConfig.parseBootstrapServers(kafka.quorumConfig().bootstrapServers()),
            faults,
            sockets);
    ControllerServer controller = null;
    if (kafka.isKRaftCombinedMode()) {
      controller =
          new ControllerServer(shared, KafkaRaftServer.configSchema(), storage.bootstrap());
      controller.startup();
    }
    shared.startForBroker();
    return new KraftNode(shared, controller, metrics);
  }

  /** Kafka's configuration object of the broker role. */
  KafkaConfig brokerConfig() {
    return shared.brokerConfig();
  }

  RaftManager<ApiMessageAndVersion> raft() {
    return raft;
  }

  MetadataLoader loader() {
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

  Metrics metrics() {
    return metrics;
  }

  /** State of the quorum for diagnosis: who leads, in which epoch. */
  Map<String, Object> quorum() {
    var leader = raft.client().leaderAndEpoch();
    return Map.of("leader", leader.leaderId().orElse(-1), "epoch", leader.epoch());
  }

  boolean leadsQuorum() {
    return raft.client().leaderAndEpoch().isLeader(shared.brokerConfig().nodeId());
  }

  @Override
  public void close() {
    shared.stopForBroker();
    if (controller != null) {
      controller.shutdown();
    }
  }
}

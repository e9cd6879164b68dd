package io.strandline.broker;

import com.sun.management.OperatingSystemMXBean;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.history.HistoryKeys;
import io.strandline.broker.history.ReplayBrokers;
import io.strandline.broker.log.LogSettings;
import io.strandline.broker.log.check.BatchKeys;
import io.strandline.broker.log.check.LogKeys;
import io.strandline.broker.partition.PartitionSettings;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.replica.ControlledInSync;
import io.strandline.broker.replica.Fetchers;
import io.strandline.broker.replica.LeaderConnection;
import io.strandline.broker.replica.ReplicaSettings;
import io.strandline.broker.replica.Replicas;
import io.strandline.broker.replica.quota.ReplicationQuotas;
import io.strandline.broker.request.data.DataConfig;
import io.strandline.broker.restore.BackupKeys;
import io.strandline.broker.socket.SocketConfig;
import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.upload.RecompressionPolicy;
import java.lang.management.ManagementFactory;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.config.ServerConfigs;
import org.apache.kafka.storage.internals.log.ProducerStateManagerConfig;

/** From configuration keys to the configuration records that each package owns. */
final class Bindings {
  private Bindings() {}

  static LogSettings logSettings(BrokerConfig config) {
    return new LogSettings(
        new ProducerStateManagerConfig(
            config.kafkaInt("producer.id.expiration.ms"),
            config.kafkaOn("transaction.partition.verification.enable")),
        config.kafkaInt("producer.id.expiration.check.interval.ms"),
        config.kafkaInt("transaction.max.timeout.ms"),
        config.on(ConfigKeys.VALIDATION_WALK),
        config.on(ConfigKeys.VALIDATION_STRICT),
        hotWindowBytes(config),
        (int) config.number(LogKeys.OPEN_SEGMENTS),
        batchBounds(config));
  }

  static BatchBounds batchBounds(BrokerConfig config) {
    return new BatchBounds(
        (int) config.number(BatchKeys.DECODED_BYTES), (int) config.number(BatchKeys.RECORDS));
  }

  private static long hotWindowBytes(BrokerConfig config) {
    long given = config.number(LogKeys.HOT_WINDOW_BYTES);
    return given > 0
            || !(ManagementFactory.getOperatingSystemMXBean() instanceof OperatingSystemMXBean os)
        ? given
        : os.getTotalMemorySize() / 4;
  }

  static PartitionSettings partitionSettings(BrokerConfig config, ControlPlane quorum) {
    PartitionSettings defaults = PartitionSettings.defaults();
    return new PartitionSettings(
        (int) config.number(ConfigKeys.INLINE_BYTES),
        Math.min(defaults.maintainMs(), config.kafkaNumber("log.flush.scheduler.interval.ms")),
        config.kafkaNumber("replica.high.watermark.checkpoint.interval.ms"),
        config.kafkaNumber("log.retention.check.interval.ms"),
        () -> config.kafkaNumber("log.cleaner.backoff.ms"),
        config.number(BackupKeys.INTERNAL_BACKUP_MS),
        () -> TierBindings.cleaner(config, 1),
        Optional.ofNullable(
                quorum
                    .kafkaConfig()
                    .getInt(ServerConfigs.NUM_REPLICA_ALTER_LOG_DIRS_THREADS_CONFIG))
            .orElseGet(() -> quorum.directories().size()),
        () ->
            quorum
                .view()
                .changedValue(QuotaConfig.REPLICA_ALTER_LOG_DIRS_IO_MAX_BYTES_PER_SECOND_CONFIG)
                .map(rate -> ((Number) rate).longValue())
                .orElse(QuotaConfig.QUOTA_BYTES_PER_SECOND_DEFAULT),
        config.on(ConfigKeys.TIER_ENABLE));
  }

  static ReplicaSettings replicaSettings(BrokerConfig config) {
    return new ReplicaSettings(
        () -> config.kafkaNumber("replica.lag.time.max.ms"),
        () -> config.kafkaInt("num.replica.fetchers"),
        config.kafkaInt("replica.fetch.wait.max.ms"),
        config.kafkaInt("replica.fetch.min.bytes"),
        config.kafkaInt("replica.fetch.max.bytes"),
        config.kafkaInt("replica.fetch.response.max.bytes"),
        config.kafkaInt("replica.fetch.backoff.ms"));
  }

  /** Replication over the network, the quorum deciding who is in sync. */
  static Replicas replicas(BrokerConfig config, ControlPlane quorum, Threads threads) {
    ReplicaSettings settings = replicaSettings(config);
    LeaderConnection.Self self =
        new LeaderConnection.Self(quorum.view().nodeId(), quorum::brokerEpoch);
    return new Replicas(
        new ControlledInSync(quorum),
        settings,
        new Fetchers(
            (broker, index) ->
                new LeaderConnection(
                    broker,
                    "replica-fetcher-" + broker + "-" + index,
                    quorum.peers(),
                    self,
                    settings),
            threads.fetchers::execute,
            settings,
            () -> Instant.ofEpochMilli(quorum.peers().time().milliseconds())),
        ReplicationQuotas.of(quorum));
  }

  static SpaceConfig space(BrokerConfig config) {
    return SpaceConfig.of(
        config.text(SpaceConfig.HIGH),
        config.text(SpaceConfig.LOW),
        config.text(SpaceConfig.RESERVE));
  }

  /** Where clients of a replay broker find their coordinators. */
  static Optional<String> coordinatorListener(BrokerConfig config, ControlPlane quorum) {
    String named = config.text(HistoryKeys.COORDINATOR_LISTENER);
    return config.on(HistoryKeys.REPLAY_BROKER)
        ? Optional.of(named.isEmpty() ? quorum.peers().listener() : named)
        : Optional.empty();
  }

  /** Which listeners of this broker tell of replay brokers. */
  static ReplayBrokers replayBrokers(BrokerConfig config, ControlPlane quorum) {
    boolean all = config.on(HistoryKeys.REPLAY_BROKER);
    String listener = config.text(HistoryKeys.LISTENER);
    return new ReplayBrokers(quorum.peers().listener(), name -> all || name.equals(listener));
  }

  static DataConfig dataConfig(BrokerConfig config) {
    DataConfig defaults = DataConfig.defaults();
    RecompressionPolicy recompression = TierBindings.recompression(config);
    return new DataConfig(
        config.kafkaInt("fetch.max.bytes"),
        config.kafkaInt("max.incremental.fetch.session.cache.slots"),
        defaults.sessionEvictionMs(),
        (int) config.number(ConfigKeys.COPY_BYTES),
        defaults.slowReadGraceMs(),
        topic -> recompression.level(topic).isPresent());
  }

  static SocketConfig socketConfig(BrokerConfig config, List<Endpoint> endpoints) {
    List<SocketConfig.Listener> listeners =
        endpoints.stream()
            .map(
                e ->
                    new SocketConfig.Listener(
                        e.listener(),
                        e.securityProtocol(),
                        e.host() == null ? "" : e.host(),
                        e.port()))
            .toList();
    return new SocketConfig(
        listeners,
        config.kafkaInt("num.network.threads"),
        true,
        config.kafkaInt("socket.listen.backlog.size"),
        config.kafkaInt("socket.send.buffer.bytes"),
        config.kafkaInt("socket.receive.buffer.bytes"),
        limits(config));
  }

  private static SocketConfig.Limits limits(BrokerConfig config) {
    SocketConfig.Limits defaults = SocketConfig.Limits.defaults();
    int requestBytes = config.kafkaInt("socket.request.max.bytes");
    long kafkaInFlight = config.kafkaNumber("queued.max.request.bytes");
    long inFlight = kafkaInFlight > 0 ? kafkaInFlight : config.number(ConfigKeys.IN_FLIGHT_BYTES);
    return new SocketConfig.Limits(
        requestBytes,
        Math.max(requestBytes, inFlight),
        (int) config.number(ConfigKeys.REQUESTS_PER_CONNECTION),
        config.number(ConfigKeys.UNSENT_BYTES),
        defaults.answerBytesMax(),
        config.kafkaNumber("connections.max.idle.ms"),
        defaults.frameGraceMs(),
        defaults.unsentGraceMs());
  }
}

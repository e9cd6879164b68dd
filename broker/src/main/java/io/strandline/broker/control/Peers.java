package io.strandline.broker.control;

import io.strandline.broker.control.quorum.SteadyTime;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.ApiVersions;
import org.apache.kafka.clients.ManualMetadataUpdater;
import org.apache.kafka.clients.MetadataRecoveryStrategy;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.network.NetworkReceive;
import org.apache.kafka.common.network.Selectable;
import org.apache.kafka.common.network.Selector;
import org.apache.kafka.common.utils.LogContext;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.server.common.MetadataVersion;

/**
 * The way to the other brokers: their listener for brokers ({@code inter.broker.listener.name}),
 * with its security.
 */
public final class Peers {
  private static final int IN_FLIGHT_MAX = 1; // of one connection
  private static final long RECONNECT_MS = 50;

  private final KafkaConfig config;
  private final Metrics metrics;
  private final Supplier<? extends ClusterView> view;

  /** Kafka names metrics by these: a client may begin before another of its purpose is closed. */
  private final AtomicLong clients = new AtomicLong();

  Peers(KafkaConfig config, Metrics metrics, Supplier<? extends ClusterView> view) {
    this.config = config;
    this.metrics = metrics;
    this.view = view;
  }

  /**
   * A client of Kafka's, not connected to anybody yet. One thread's alone, who closes it.
   *
   * @param purpose names its metrics and threads
   */
  public NetworkClient client(String purpose) {
    LogContext log = new LogContext("[" + purpose + " of broker " + config.nodeId() + "] ");
    ListenerChannels channels = ListenerChannels.open(config, time(), log);
    Selector selector =
        new Selector(
            NetworkReceive.UNLIMITED,
            config.connectionsMaxIdleMs(),
            metrics,
            time(),
            purpose + "-channel",
            Map.of("client", Long.toString(clients.incrementAndGet())),
            false,
            channels,
            log);
    return new NetworkClient(
        selector,
        new ManualMetadataUpdater(),
        purpose + "-client-" + config.nodeId(),
        IN_FLIGHT_MAX,
        RECONNECT_MS,
        RECONNECT_MS,
        Selectable.USE_DEFAULT_BUFFER_SIZE,
        config.socketReceiveBufferBytes(),
        config.requestTimeoutMs(),
        config.connectionSetupTimeoutMs(),
        config.connectionSetupTimeoutMaxMs(),
        time(),
        true,
        new ApiVersions(),
        log,
        MetadataRecoveryStrategy.NONE);
  }

  /**
   * Requests of one purpose, not begun yet; the caller closes them.
   *
   * @param purpose as for {@link #client}
   */
  public PeerRequests requests(String purpose) {
    return new PeerRequests(this, purpose);
  }

  /** Where a live broker listens for brokers; empty when it is fenced or unknown. */
  public Optional<Node> node(int broker) {
    return view.get().broker(broker, listener());
  }

  /** The name of the listener for brokers. */
  public String listener() {
    return config.interBrokerListenerName().value();
  }

  /** The version of Fetch that all brokers of the cluster's metadata level know. */
  public short fetchVersion() {
    return level().fetchRequestVersion();
  }

  /** The same of ListOffsets. */
  public short listOffsetsVersion() {
    return level().listOffsetRequestVersion();
  }

  private MetadataVersion level() {
    short level = view.get().metadataLevel();
    return level < 0 ? MetadataVersion.MINIMUM_VERSION : MetadataVersion.fromFeatureLevel(level);
  }

  /** The time that the clients go by: it does not jump when the wall clock is set. */
  public Time time() {
    return SteadyTime.STEADY;
  }

  /** How long a request between brokers may take. */
  public int requestTimeoutMs() {
    return config.requestTimeoutMs();
  }
}

package io.strandline.broker.control;

import io.strandline.broker.control.quorum.ListenerAddress;
import io.strandline.broker.control.quorum.RenewedEngines;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.network.SocketServerConfigs;
import org.jspecify.annotations.Nullable;

/**
 * Kafka's configuration of this node, as the control plane reads it: keys and values of {@code
 * server.properties}, nothing of ours.
 *
 * @param kafka Kafka's keys and values
 * @param alone whether this node is a cluster of its own: it has both roles, and no voter is
 *     configured
 * @param replays whether this broker serves history alone: all of its log directories are cordoned
 *     (KIP-1066), so that it gets no replicas, and other brokers can not reach it, nor clients of
 *     theirs hear of it
 */
public record ControlConfig(Map<String, String> kafka, boolean alone, boolean replays) {

  public static final String ROLES = "process.roles";
  static final String LISTENERS = "listeners";
  static final String BROKERS_LISTENER = "inter.broker.listener.name";
  static final String PROTOCOLS = "listener.security.protocol.map";
  static final String CONTROLLER_LISTENERS = "controller.listener.names";
  public static final String BOOTSTRAP = "controller.quorum.bootstrap.servers";
  public static final String VOTERS = "controller.quorum.voters";
  private static final String NETWORK_THREADS = SocketServerConfigs.NUM_NETWORK_THREADS_CONFIG;

  /** What a listener speaks that is named for it, as Kafka has it by itself. */
  private static final String NAMESAKES =
      Arrays.stream(SecurityProtocol.values())
          .map(one -> one.name + ":" + one.name)
          .collect(Collectors.joining(","));

  /** Keys that a combined node gets when its configuration does not say otherwise. */
  private static final Map<String, String> DEFAULTS =
      Map.of(
          ROLES,
          "broker,controller",
          "node.id",
          "1",
          CONTROLLER_LISTENERS,
          "CONTROLLER",
          // D12: scripts that ask for tiered topics work against our controller.
          "remote.log.storage.system.enable",
          "true");

  /** Defaults of a cluster of one, where Kafka's would wait for brokers that never come. */
  private static final Map<String, String> ALONE =
      Map.of(
          "offsets.topic.replication.factor", "1",
          "transaction.state.log.replication.factor", "1",
          "transaction.state.log.min.isr", "1",
          "share.coordinator.state.topic.replication.factor", "1",
          "share.coordinator.state.topic.min.isr", "1",
          // After a kill the controller waits for the old session to end before it takes this node
          // back: nobody else could have taken over meanwhile.
          "broker.session.timeout.ms", "3000",
          "broker.heartbeat.interval.ms", "500",
          // Nobody else follows this metadata log: small segments go sooner, and an idle node
          // writes (and syncs) rarely.
          "metadata.log.segment.bytes", "8388608",
          "metadata.max.retention.bytes", "33554432",
          "metadata.max.idle.interval.ms", "5000");

  public ControlConfig {
    kafka = Map.copyOf(kafka);
  }

  /** Kafka's keys and values as an operator gave them. */
  public ControlConfig(Map<String, String> kafka) {
    this(kafka, false);
  }

  public ControlConfig(Map<String, String> kafka, boolean replays) {
    this(kafka, alone(kafka), replays);
  }

  private static boolean alone(Map<String, String> kafka) {
    String roles = kafka.getOrDefault(ROLES, "broker,controller");
    return !kafka.containsKey(BOOTSTRAP)
        && !kafka.containsKey(VOTERS)
        && roles.contains("broker")
        && roles.contains("controller");
  }

  /** The address this node's controller listens on, empty when it has no controller role. */
  public Optional<ListenerAddress> controllerListener() {
    Map<String, String> all = withDefaults();
    if (!all.getOrDefault(ROLES, "").contains("controller")) {
      return Optional.empty();
    }
    String name = all.getOrDefault(CONTROLLER_LISTENERS, "").split(",")[0].trim();
    return ListenerAddress.all(all.getOrDefault(LISTENERS, "")).stream()
        .filter(listener -> same(listener.name(), name))
        .findFirst();
  }

  /** Whether this node carries records: it is not a controller alone. */
  public boolean broker() {
    return withDefaults().getOrDefault(ROLES, "").contains("broker");
  }

  /** The directory of the metadata log. */
  public Path metadataDirectory() {
    String own = kafka.get("metadata.log.dir");
    return own != null ? Path.of(own) : logDirectories().get(0);
  }

  /** The directories of the partition logs, in the order of the configuration. */
  public List<Path> logDirectories() {
    String dirs = kafka.getOrDefault("log.dirs", kafka.getOrDefault("log.dir", "/tmp/kafka-logs"));
    List<Path> paths = new ArrayList<>();
    for (String dir : dirs.split(",")) {
      paths.add(Path.of(dir.trim()));
    }
    return List.copyOf(paths);
  }

  /** This configuration with the controller's port put where 0 stood. */
  public ControlConfig withControllerPort(int port) {
    ListenerAddress listener = controllerListener().orElse(null);
    if (listener == null) {
      return this;
    }
    Map<String, String> all = withDefaults();
    ListenerAddress bound = listener.at(port);
    all.put(LISTENERS, all.getOrDefault(LISTENERS, "").replace(listener.text(), bound.text()));
    if (alone) {
      all.put(BOOTSTRAP, bound.local());
    }
    return new ControlConfig(all, alone, replays);
  }

  /** All keys, with what a node gets when it does not say otherwise. */
  Map<String, String> withDefaults() {
    Map<String, String> all = new LinkedHashMap<>(DEFAULTS);
    if (alone) {
      all.putAll(ALONE);
    }
    all.putAll(kafka);
    String controller = all.getOrDefault(CONTROLLER_LISTENERS, "").split(",")[0].trim();
    boolean hosts = alone && all.getOrDefault(ROLES, "").contains("controller");
    String listeners = all.getOrDefault(LISTENERS, "PLAINTEXT://127.0.0.1:9092");
    if (hosts && !upper(listeners).contains(upper(controller) + "://")) {
      if (secured(listeners)) { // where Kafka takes nothing for granted: see withProtocol
        all.putIfAbsent(PROTOCOLS, NAMESAKES);
      }
      listeners = listeners + "," + controller + "://127.0.0.1:0";
      all.computeIfPresent(PROTOCOLS, (key, map) -> withProtocol(map, controller));
    }
    all.put(LISTENERS, listeners);
    if (encrypts(controller, all.get(PROTOCOLS)) && !all.containsKey(RenewedEngines.KEY)) {
      all.putIfAbsent(
          ListenerName.normalised(controller).configPrefix() + RenewedEngines.KEY,
          RenewedEngines.class.getName());
    }
    if (all.getOrDefault(ROLES, "").contains("controller") && !kafka.containsKey(NETWORK_THREADS)) {
      // Its socket server serves this process and a few administrators. Of this listener alone: the
      // key itself is the broker's, and told with Kafka's default.
      all.putIfAbsent(ListenerName.normalised(controller).configPrefix() + NETWORK_THREADS, "1");
    }
    if (replays) {
      asReplayBroker(all);
    }
    if (all.containsKey("broker.id") && !kafka.containsKey("node.id")) {
      all.put("node.id", all.getOrDefault("broker.id", "1"));
    }
    return all;
  }

  private static String upper(String names) {
    return names.toUpperCase(Locale.ROOT);
  }

  private static boolean secured(String listeners) {
    return ListenerAddress.all(listeners).stream()
        .anyMatch(listener -> listener.name().matches("SSL|SASL_.*"));
  }

  /** Whether there is TLS on a listener; one that no map names is named for its protocol. */
  private static boolean encrypts(String listener, @Nullable String map) {
    String protocols = map == null ? listener + ":" + listener : map;
    return Arrays.stream(protocols.split(","))
        .map(one -> one.trim().toUpperCase(Locale.ROOT).split(":", 2))
        .anyMatch(
            one ->
                one.length == 2
                    && one[0].trim().equals(listener.toUpperCase(Locale.ROOT))
                    && one[1].trim().endsWith("SSL"));
  }

  /** Whether this broker really has a listener that its configuration names. */
  boolean serves(String listener) {
    return !replays || !same(listener, brokersListener());
  }

  /** Names of listeners are the same in any case of letters. */
  private static boolean same(String one, String other) {
    return ListenerName.normalised(one).equals(ListenerName.normalised(other));
  }

  /** Where the other brokers listen for each other. */
  private String brokersListener() {
    return kafka.getOrDefault(
        BROKERS_LISTENER, kafka.getOrDefault("security.inter.broker.protocol", "PLAINTEXT"));
  }

  /**
   * Kafka wants a listener for brokers where nobody will listen, as no broker has business here.
   */
  private void asReplayBroker(Map<String, String> all) {
    String brokers = brokersListener();
    if (!"broker".equals(all.get(ROLES))) {
      throw new ControlException("a replay broker has " + ROLES + "=broker");
    }
    if (ListenerAddress.all(all.getOrDefault(LISTENERS, "")).stream()
        .anyMatch(listener -> same(listener.name(), brokers))) {
      throw new ControlException(
          "a replay broker has listeners of its own: "
              + brokers
              + " is the other brokers', whose clients would find it there");
    }
    all.put("cordoned.log.dirs", "*");
    all.put(LISTENERS, all.get(LISTENERS) + "," + brokers + "://127.0.0.1:0");
    all.computeIfPresent(
        "advertised.listeners", (key, told) -> told + "," + brokers + "://127.0.0.1:1");
  }

  /** A map of listeners that was made without ours: Kafka wants it whole. */
  private static String withProtocol(String map, String listener) {
    boolean there = upper("," + map.replace(" ", "")).contains("," + upper(listener) + ":");
    return there ? map : map + "," + listener + ":PLAINTEXT";
  }

  /**
   * Kafka's own reading of these keys, with its checks across keys.
   *
   * @throws ControlException when Kafka refuses them, with its reason
   */
  public KafkaConfig parse() {
    try {
      return new KafkaConfig(withDefaults(), false);
    } catch (ConfigException | IllegalArgumentException e) {
      throw new ControlException("configuration refused: " + e.getMessage(), e);
    }
  }
}

package io.strandline.broker.control.config;

import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import kafka.server.DynamicBrokerConfig;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.ConfigurationsImage;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicConfig;
import org.apache.kafka.storage.internals.log.LogConfig;
import scala.Option;

/**
 * The configuration of this broker at one metadata offset: its file, the cluster's default for all
 * brokers and what was set on this broker, the later over the earlier. Immutable but for a cache of
 * topic configurations, which many topics share because few of them differ.
 *
 * <p>Kafka's own dynamic configuration works it out and tells those who take changes; its object is
 * one for the node, so that only the newest of these may be asked for another.
 */
public final class EffectiveConfig {
  private static final int SPARE_TOPIC_CONFIGS = 64;

  private final DynamicBrokerConfig dynamic;
  private final int nodeId;
  private final Map<String, String> fileValues;
  private final Map<String, String> clusterValues;
  private final Map<String, String> brokerValues;
  private final KafkaConfig kafka;
  private final Map<String, Object> topicDefaults;
  private final Map<Map<String, String>, LogConfig> topicConfigs = new ConcurrentHashMap<>();
  private int topicConfigsMax = SPARE_TOPIC_CONFIGS; // the loader's thread alone

  private EffectiveConfig(
      DynamicBrokerConfig dynamic,
      int nodeId,
      Map<String, String> fileValues,
      Map<String, String> clusterValues,
      Map<String, String> brokerValues) {
    this.dynamic = dynamic;
    this.nodeId = nodeId;
    this.fileValues = fileValues;
    this.clusterValues = clusterValues;
    this.brokerValues = brokerValues;
    this.kafka = dynamic.currentKafkaConfig();
    this.topicDefaults = Map.copyOf(kafka.extractLogConfigMap());
  }

  /** The configuration before anything is known of the cluster; once for a node. */
  public static EffectiveConfig ofFile(KafkaConfig kafka) {
    DynamicBrokerConfig dynamic = kafka.dynamicConfig();
    Map<String, String> file =
        Map.copyOf(ConfigDef.convertToStringMapWithPasswordValues(kafka.originals()));
    dynamic.initialize(Option.empty());
    return new EffectiveConfig(dynamic, kafka.nodeId(), file, Map.of(), Map.of());
  }

  /**
   * The configuration with what {@code configs} says of brokers. A value that does not do is told
   * in the log and left out, and the others hold.
   */
  public EffectiveConfig with(ConfigurationsImage configs) {
    ConfigResource all = new ConfigResource(ConfigResource.Type.BROKER, "");
    ConfigResource mine = new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(nodeId));
    Map<String, String> cluster = configs.configMapForResource(all);
    Map<String, String> broker = configs.configMapForResource(mine);
    if (cluster.equals(clusterValues) && broker.equals(brokerValues)) {
      forget(configs);
      return this;
    }
    // Both, whichever changed: a value of one may do or not by those of the other.
    dynamic.updateDefaultConfig(
        new StoredValues(dynamic, false).fitting(configs.configProperties(all)),
        !cluster.equals(clusterValues));
    dynamic.updateBrokerConfig(
        nodeId,
        new StoredValues(dynamic, true).fitting(configs.configProperties(mine)),
        !broker.equals(brokerValues));
    return new EffectiveConfig(dynamic, nodeId, fileValues, cluster, broker);
  }

  /** Kafka's form of it. */
  public KafkaConfig kafka() {
    return kafka;
  }

  /** What stands in the file or was given at the start. */
  Map<String, String> fileValues() {
    return fileValues;
  }

  /** What was set for all brokers of the cluster. */
  Map<String, String> clusterValues() {
    return clusterValues;
  }

  /** What was set for this broker. */
  Map<String, String> brokerValues() {
    return brokerValues;
  }

  /** What a key of Kafka's was set to for this broker or for all, whatever the file says. */
  public Optional<Object> changed(String key) {
    if (!brokerValues.containsKey(key) && !clusterValues.containsKey(key)) {
      return Optional.empty();
    }
    ConfigDef.ConfigKey onlyDynamic = DynamicConfig.Broker.configKeys().get(key);
    return AbstractKafkaConfig.CONFIG_DEF.configKeys().containsKey(key) || onlyDynamic == null
        ? Optional.ofNullable(kafka.get(key))
        : Optional.ofNullable(
            ConfigDef.parseType(
                key, brokerValues.getOrDefault(key, clusterValues.get(key)), onlyDynamic.type));
  }

  /** Drops what no topic has any more, once that may be as much as what some have. */
  private void forget(ConfigurationsImage configs) {
    if (topicConfigs.size() <= topicConfigsMax) {
      return;
    }
    Set<Map<String, String>> had = new HashSet<>();
    had.add(Map.of());
    configs
        .resourceData()
        .forEach(
            (resource, overrides) -> {
              if (resource.type() == ConfigResource.Type.TOPIC) {
                had.add(overrides.data());
              }
            });
    topicConfigs.keySet().retainAll(had);
    topicConfigsMax = SPARE_TOPIC_CONFIGS + 2 * had.size();
  }

  /** A topic's configuration from its own overrides. */
  public LogConfig topic(Map<String, String> overrides) {
    LogConfig known = topicConfigs.get(overrides);
    if (known != null) {
      return known;
    }
    Properties properties = new Properties();
    properties.putAll(overrides);
    LogConfig built = LogConfig.fromProps(topicDefaults, properties);
    LogConfig raced = topicConfigs.putIfAbsent(Map.copyOf(overrides), built);
    return raced == null ? built : raced;
  }
}

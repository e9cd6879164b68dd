package io.strandline.broker.control;

import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import java.util.concurrent.ConcurrentHashMap;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.image.ConfigurationsImage;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The configuration of this broker at one metadata offset: its file, the cluster's default for all
 * brokers and what was set on this broker, the later over the earlier. Immutable but for a cache of
 * topic configurations, which many topics share because few of them differ.
 */
final class EffectiveConfig {
  private static final Logger LOG = LoggerFactory.getLogger(EffectiveConfig.class);

  private final Map<String, String> fileValues;
  private final Map<String, String> clusterValues;
  private final Map<String, String> brokerValues;
  private final KafkaConfig kafka;
  private final Map<String, Object> topicDefaults;
  private final Map<Map<String, String>, LogConfig> topicConfigs = new ConcurrentHashMap<>();

  private EffectiveConfig(
      Map<String, String> fileValues,
      Map<String, String> clusterValues,
      Map<String, String> brokerValues,
      KafkaConfig kafka) {
    this.fileValues = fileValues;
    this.clusterValues = clusterValues;
    this.brokerValues = brokerValues;
    this.kafka = kafka;
    this.topicDefaults = Map.copyOf(kafka.extractLogConfigMap());
  }

  /** The configuration before anything is known of the cluster. */
  static EffectiveConfig ofFile(KafkaConfig kafka) {
    return new EffectiveConfig(
        Map.copyOf(ConfigDef.convertToStringMapWithPasswordValues(kafka.originals())),
        Map.of(),
        Map.of(),
        kafka);
  }

  /**
   * The configuration with what {@code configs} says of brokers. A dynamic value that Kafka refuses
   * leaves all dynamic values as they were.
   */
  EffectiveConfig with(ConfigurationsImage configs) {
    Map<String, String> cluster =
        configs.configMapForResource(new ConfigResource(ConfigResource.Type.BROKER, ""));
    Map<String, String> mine =
        configs.configMapForResource(
            new ConfigResource(ConfigResource.Type.BROKER, String.valueOf(kafka.nodeId())));
    if (cluster.equals(clusterValues) && mine.equals(brokerValues)) {
      return this;
    }
    Map<String, String> all = new HashMap<>(fileValues);
    all.putAll(cluster);
    all.putAll(mine);
    try {
      return new EffectiveConfig(fileValues, cluster, mine, new KafkaConfig(all, false));
    } catch (ConfigException | IllegalArgumentException e) {
      LOG.atError()
          .addKeyValue("reason", e.getMessage())
          .log("the dynamic configuration of this broker was refused, the earlier one stays");
      return this;
    }
  }

  KafkaConfig kafka() {
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

  /** A topic's configuration from its own overrides. */
  LogConfig topic(Map<String, String> overrides) {
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

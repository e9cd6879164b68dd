package io.strandline.broker.control.config;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResourceResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsSynonym;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigSource;
import org.apache.kafka.common.requests.DescribeConfigsResponse.ConfigType;
import org.apache.kafka.coordinator.group.GroupConfig;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.ConfigHelperUtils;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.apache.kafka.server.config.DynamicConfig;
import org.apache.kafka.server.config.ServerTopicConfigSynonyms;
import org.apache.kafka.server.metrics.ClientMetricsConfigs;
import org.apache.kafka.storage.internals.log.LogConfig;
import org.jspecify.annotations.Nullable;

/**
 * Describes configurations as Kafka does: each value with where it comes from, the values it hides,
 * and its documentation. Values of secret types are never told.
 */
public final class ConfigDescriptions {
  private final MetadataImage image;
  private final EffectiveConfig config;
  private final boolean synonyms;
  private final boolean documentation;

  public ConfigDescriptions(
      MetadataImage image, EffectiveConfig config, boolean synonyms, boolean documentation) {
    this.image = image;
    this.config = config;
    this.synonyms = synonyms;
    this.documentation = documentation;
  }

  /** Describes one resource; what fails becomes an error of the result. */
  public DescribeConfigsResult describe(DescribeConfigsResource resource) {
    DescribeConfigsResult result;
    try {
      result =
          switch (ConfigResource.Type.forId(resource.resourceType())) {
            case TOPIC -> topic(resource);
            case BROKER -> broker(resource);
            case GROUP -> group(resource);
            case CLIENT_METRICS -> clientMetrics(resource);
            default ->
                throw new InvalidRequestException(
                    "Unsupported resource type " + resource.resourceType());
          };
    } catch (RuntimeException e) {
      ApiError error = ApiError.fromThrowable(e);
      result =
          new DescribeConfigsResult()
              .setErrorCode(error.error().code())
              .setErrorMessage(error.message())
              .setConfigs(List.of());
    }
    return result.setResourceName(resource.resourceName()).setResourceType(resource.resourceType());
  }

  private DescribeConfigsResult topic(DescribeConfigsResource resource) {
    String name = resource.resourceName();
    Topic.validate(name);
    if (image.topics().getTopic(name) == null) {
      return new DescribeConfigsResult()
          .setErrorCode(Errors.UNKNOWN_TOPIC_OR_PARTITION.code())
          .setConfigs(List.of());
    }
    Map<String, String> own =
        image.configs().configMapForResource(new ConfigResource(ConfigResource.Type.TOPIC, name));
    LogConfig effective = config.topic(own);
    return ConfigHelperUtils.createResponseConfig(
        resource,
        effective,
        (key, value) -> {
          Entry entry = new Entry(key, value, LogConfig.configType(key), effective);
          if (own.containsKey(key)) {
            entry.add(key, entry.shown, ConfigSource.TOPIC_CONFIG);
          }
          String broker = ServerTopicConfigSynonyms.TOPIC_CONFIG_SYNONYMS.get(key);
          if (broker != null) {
            brokerSources(entry, broker, true);
          }
          return entry.result(false);
        });
  }

  private DescribeConfigsResult group(DescribeConfigsResource resource) {
    String name = resource.resourceName();
    if (name == null || name.isEmpty()) {
      throw new InvalidRequestException("Group name must not be empty");
    }
    Properties own =
        image.configs().configProperties(new ConfigResource(ConfigResource.Type.GROUP, name));
    GroupConfig effective = GroupConfig.fromProps(config.kafka().extractGroupConfigMap(), own);
    return ConfigHelperUtils.createResponseConfig(
        resource,
        effective,
        (key, value) -> {
          Entry entry = new Entry(key, value, GroupConfig.configType(key), effective);
          if (own.containsKey(key)) {
            entry.add(key, entry.shown, ConfigSource.GROUP_CONFIG);
          }
          Optional<String> broker = GroupConfig.brokerSynonym(key);
          if (broker.isPresent()) {
            brokerSources(entry, broker.get(), true);
          } else {
            Object builtIn = GroupConfig.CONFIG_DEF.defaultValues().get(key);
            if (builtIn != null) {
              entry.add(key, entry.text(builtIn), ConfigSource.DEFAULT_CONFIG);
            }
          }
          return entry.result(false);
        });
  }

  private DescribeConfigsResult clientMetrics(DescribeConfigsResource resource) {
    String name = resource.resourceName();
    if (name == null || name.isEmpty()) {
      throw new InvalidRequestException("Client metrics subscription name must not be empty");
    }
    Properties own =
        image
            .configs()
            .configProperties(new ConfigResource(ConfigResource.Type.CLIENT_METRICS, name));
    ClientMetricsConfigs effective =
        ClientMetricsConfigs.fromProps(ClientMetricsConfigs.defaultConfigsMap(), own);
    return ConfigHelperUtils.createResponseConfig(
        resource,
        effective,
        (key, value) -> {
          Entry entry = new Entry(key, value, ClientMetricsConfigs.configType(key), effective);
          if (own.containsKey(key)) {
            entry.add(key, entry.shown, ConfigSource.CLIENT_METRICS_CONFIG);
          }
          return entry.result(false);
        });
  }

  private DescribeConfigsResult broker(DescribeConfigsResource resource) {
    String name = resource.resourceName();
    boolean allBrokers = name == null || name.isEmpty();
    if (!allBrokers && !name.equals(String.valueOf(config.kafka().nodeId()))) {
      throw new InvalidRequestException(
          "Unexpected broker id, expected "
              + config.kafka().nodeId()
              + " or empty string, but received "
              + name);
    }
    return allBrokers
        ? ConfigHelperUtils.createResponseConfig(
            resource, config.clusterValues(), (key, value) -> brokerEntry(key, value, false))
        : ConfigHelperUtils.createResponseConfig(
            resource, config.kafka(), (key, value) -> brokerEntry(key, value, true));
  }

  private DescribeConfigsResourceResult brokerEntry(String key, Object value, boolean all) {
    Entry entry = new Entry(key, value, brokerType(key), config.kafka());
    brokerSources(entry, key, all);
    return entry.result(!DynamicBrokerConfig.ALL_DYNAMIC_CONFIGS.contains(key));
  }

  private static Optional<ConfigDef.Type> brokerType(String key) {
    if (key.startsWith("strandline.")) {
      return Optional.of(ConfigDef.Type.STRING); // of a key without a type nothing would be shown
    }
    for (String synonym : DynamicBrokerConfig.brokerConfigSynonyms(key, true)) {
      ConfigDef.ConfigKey known = AbstractKafkaConfig.CONFIG_DEF.configKeys().get(synonym);
      if (known != null) {
        return Optional.of(known.type);
      }
    }
    // Replication quotas are in no file.
    return Optional.ofNullable(DynamicConfig.Broker.configKeys().get(key)).map(known -> known.type);
  }

  /** Adds what the broker's layers say of a key and its synonyms, nearest first. */
  private void brokerSources(Entry entry, String key, boolean all) {
    List<DescribeConfigsSynonym> found = new ArrayList<>();
    List<String> names = DynamicBrokerConfig.brokerConfigSynonyms(key, true);
    if (all) {
      collect(found, names, config.brokerValues(), ConfigSource.DYNAMIC_BROKER_CONFIG);
    }
    collect(found, names, config.clusterValues(), ConfigSource.DYNAMIC_DEFAULT_BROKER_CONFIG);
    if (all) {
      collect(found, names, config.fileValues(), ConfigSource.STATIC_BROKER_CONFIG);
      for (String name : names) {
        Object builtIn = AbstractKafkaConfig.CONFIG_DEF.defaultValues().get(name);
        if (builtIn != null) {
          found.add(synonym(name, entry.textOf(name, builtIn), ConfigSource.DEFAULT_CONFIG));
        }
      }
    }
    // As Kafka: what overrides the key for one listener does not describe the key itself.
    int from = 0;
    while (from < found.size() && !found.get(from).name().equals(key)) {
      from++;
    }
    boolean named = from < found.size();
    for (DescribeConfigsSynonym one :
        named ? found.subList(from, found.size()) : found.subList(0, 0)) {
      entry.add(one.name(), one.value(), ConfigSource.forId(one.source()));
    }
  }

  private static void collect(
      List<DescribeConfigsSynonym> into,
      List<String> names,
      Map<String, String> values,
      ConfigSource source) {
    for (String name : names) {
      String value = values.get(name);
      if (value != null) {
        into.add(synonym(name, value, source));
      }
    }
  }

  private static DescribeConfigsSynonym synonym(
      String name, @Nullable String value, ConfigSource source) {
    return new DescribeConfigsSynonym().setName(name).setValue(value).setSource(source.id());
  }

  /** One key while it is being described. */
  private final class Entry {
    private final String key;
    private final Optional<ConfigDef.Type> type;
    private final AbstractConfig owner;
    private final boolean secret;
    private final @Nullable String shown;
    private final List<DescribeConfigsSynonym> sources = new ArrayList<>();

    Entry(String key, @Nullable Object value, Optional<ConfigDef.Type> type, AbstractConfig owner) {
      this.key = key;
      this.type = type;
      this.owner = owner;
      this.secret = type.isEmpty() || type.get() == ConfigDef.Type.PASSWORD;
      this.shown = value instanceof String text && !secret ? text : text(value);
    }

    @Nullable String text(@Nullable Object value) {
      return secret ? null : ConfigDef.convertToString(value, type.orElse(null));
    }

    @Nullable String textOf(String name, Object value) {
      return secret ? null : ConfigDef.convertToString(value, brokerType(name).orElse(null));
    }

    void add(String name, @Nullable String value, ConfigSource source) {
      sources.add(synonym(name, secret ? null : value, source));
    }

    DescribeConfigsResourceResult result(boolean readOnly) {
      return new DescribeConfigsResourceResult()
          .setName(key)
          .setValue(shown)
          .setConfigSource(
              sources.isEmpty() ? ConfigSource.DEFAULT_CONFIG.id() : sources.get(0).source())
          .setIsSensitive(secret)
          .setReadOnly(readOnly)
          .setSynonyms(synonyms ? sources : List.of())
          .setDocumentation(documentation ? owner.documentationOf(key) : null)
          .setConfigType(responseType().id());
    }

    private ConfigType responseType() {
      return type.map(known -> ConfigType.valueOf(known.name())).orElse(ConfigType.UNKNOWN);
    }
  }
}

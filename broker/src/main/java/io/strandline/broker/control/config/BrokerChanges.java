package io.strandline.broker.control.config;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;
import java.util.function.Function;
import kafka.server.ConfigAdminManager;
import kafka.server.DynamicBrokerConfig;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Reconfigurable;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.network.ChannelBuilder;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.network.ListenerReconfigurable;
import org.apache.kafka.config.BrokerReconfigurable;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Changes of this broker's configuration: judged here before the controller writes them down (the
 * controller does not know what a broker can do), and taken over by those who add themselves
 * (KIP-226). Any thread.
 */
public final class BrokerChanges {
  private static final Logger LOG = LoggerFactory.getLogger(BrokerChanges.class);

  private final KafkaConfig running;
  private final DynamicBrokerConfig dynamic;
  private final Function<ConfigResource, Properties> writtenDown;
  private final Map<ListenerName, String> refused = new ConcurrentHashMap<>();

  /**
   * @param running the node's configuration, which follows the changes
   * @param writtenDown what the metadata says of a resource now
   */
  public BrokerChanges(KafkaConfig running, Function<ConfigResource, Properties> writtenDown) {
    this.running = running;
    this.dynamic = running.dynamicConfig();
    this.writtenDown = writtenDown;
    ChangeChecks.addTo(dynamic, running);
  }

  /**
   * Judges a change of what is written down.
   *
   * @param name this broker's id, or empty for the default of all brokers
   * @throws InvalidRequestException when this broker can not take it, with the reason
   * @throws org.apache.kafka.common.errors.ApiException when an operation does not suit its key
   */
  public void require(String name, List<AlterConfigOp> operations) {
    requireHere(name);
    // What is written down and does not hold here, as what a controller was told, refuses nothing.
    Properties result =
        new StoredValues(dynamic, !name.isEmpty())
            .fitting(writtenDown.apply(new ConfigResource(ConfigResource.Type.BROKER, name)));
    ConfigAdminManager.prepareIncrementalConfigs(
        CollectionConverters.asScala(operations), result, keys());
    judge(name, result);
  }

  /** As above, of what shall take the place of all that is written down. */
  public void require(String name, Map<String, String> values) {
    requireHere(name);
    Properties result = new Properties();
    result.putAll(values);
    judge(name, result);
  }

  private static scala.collection.Map<String, ConfigKey> keys() {
    return CollectionConverters.asScala(AbstractKafkaConfig.CONFIG_DEF.configKeys());
  }

  private void requireHere(String name) {
    if (!name.isEmpty() && !name.equals(String.valueOf(running.nodeId()))) {
      throw new InvalidRequestException(
          "Unexpected broker id, expected " + running.nodeId() + ", but received " + name);
    }
  }

  private void judge(String name, Properties wanted) {
    try {
      ChangeChecks.asked(() -> dynamic.validate(wanted, !name.isEmpty()));
    } catch (ConfigException | IllegalArgumentException e) {
      throw new InvalidRequestException(reason(e), e);
    }
  }

  /** Kafka says that the configuration is invalid, and in the cause why. */
  private static String reason(RuntimeException refusal) {
    Throwable cause = refusal.getCause();
    String why = cause == null ? null : cause.getMessage();
    return why == null ? String.valueOf(refusal.getMessage()) : refusal.getMessage() + ": " + why;
  }

  /**
   * Has changes of {@code num.network.threads} judged by the threads that run.
   *
   * @param now how many there are until this node ends
   */
  public void networkThreads(int now) {
    ChangeChecks.addNetworkThreads(dynamic, now);
  }

  /** Adds a plug-in or a listener's part that judges and takes over changes of its keys. */
  public void add(Reconfigurable part) {
    dynamic.addReconfigurable(part);
  }

  /** Adds a part of the broker that judges and takes over changes of its keys. */
  public void add(BrokerReconfigurable part) {
    dynamic.addBrokerReconfigurable(part);
  }

  /**
   * Has this node's own connections, to brokers and controllers, take over certificates whose files
   * were replaced while their settings stayed: those that are opened from now on. What does not do
   * is told once and leaves all as it was. Reads files; one thread.
   */
  public void reloadFiles() {
    KafkaConfig now = dynamic.currentKafkaConfig();
    for (Reconfigurable part : dynamic.reconfigurables()) {
      if (part instanceof ChannelBuilder && part instanceof ListenerReconfigurable channels) {
        ListenerName listener = channels.listenerName();
        try {
          channels.reconfigure(
              new HashMap<>(now.valuesWithPrefixOverride(listener.configPrefix())));
          refused.remove(listener);
        } catch (KafkaException e) {
          String reason = String.valueOf(e.getMessage());
          if (!reason.equals(refused.put(listener, reason))) {
            LOG.atWarn()
                .addKeyValue("listener", listener.value())
                .addKeyValue("reason", reason)
                .log("new certificates of this node's own connections were refused");
          }
        }
      }
    }
  }

  /** Tells each new configuration in which one of the keys changed, after it holds. */
  public void follow(Set<String> keys, Consumer<AbstractKafkaConfig> user) {
    dynamic.addBrokerReconfigurable(DynamicPart.following(keys, user));
  }
}

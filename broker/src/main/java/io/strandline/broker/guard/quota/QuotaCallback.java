package io.strandline.broker.guard.quota;

import io.strandline.broker.control.ImageListener;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.Supplier;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Reconfigurable;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.metadata.MetadataCache;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.quota.ClientQuotaCallback;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A class of the user's own that says who shares which quota, and how much it is ({@code
 * client.quota.callback.class}, KIP-257). Told of each change of topics and brokers, and of its own
 * settings if it wants to be.
 */
public final class QuotaCallback implements ImageListener {
  private static final Logger LOG = LoggerFactory.getLogger(QuotaCallback.class);
  private static final String KEY = QuotaConfig.CLIENT_QUOTA_CALLBACK_CLASS_CONFIG;

  private final ClientQuotaCallback callback;
  private final ClientQuotas quotas;
  private final Supplier<? extends AbstractKafkaConfig> config;
  private final String clusterId;
  private Map<String, ?> known;

  /**
   * @param config as it is now, with what was changed while this node runs
   */
  public QuotaCallback(
      ClientQuotaCallback callback,
      ClientQuotas quotas,
      Supplier<? extends AbstractKafkaConfig> config,
      String clusterId) {
    this.callback = callback;
    this.quotas = quotas;
    this.config = config;
    this.clusterId = clusterId;
    this.known = config.get().originals();
  }

  /**
   * Makes it and gives it its settings; empty when none is configured.
   *
   * @throws KafkaException when it can not be had
   */
  public static Optional<Plugin<ClientQuotaCallback>> open(
      AbstractKafkaConfig config, Metrics metrics) {
    return Optional.ofNullable(config.getConfiguredInstance(KEY, ClientQuotaCallback.class))
        .map(callback -> Plugin.wrapInstance(callback, metrics, KEY, "role", "broker"));
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (delta.configsDelta() != null && callback instanceof Reconfigurable settings) {
      reconfigure(settings);
    }
    if ((delta.topicsDelta() != null || delta.clusterDelta() != null)
        && callback.updateClusterMetadata(MetadataCache.toCluster(clusterId, image))) {
      quotas.changed();
    }
  }

  private void reconfigure(Reconfigurable settings) {
    Map<String, ?> now = config.get().originals();
    boolean concerned =
        settings.reconfigurableConfigs().stream()
            .anyMatch(key -> !Objects.equals(now.get(key), known.get(key)));
    known = now;
    if (concerned) {
      try {
        settings.validateReconfiguration(now);
        settings.reconfigure(now);
      } catch (ConfigException e) {
        LOG.atError()
            .addKeyValue("key", KEY)
            .addKeyValue("reason", e.getMessage())
            .log("a change was refused, the earlier value stays");
      }
    }
  }
}

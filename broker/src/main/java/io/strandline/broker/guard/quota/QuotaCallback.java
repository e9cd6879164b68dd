package io.strandline.broker.guard.quota;

import io.strandline.broker.control.ImageListener;
import java.util.Optional;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.metadata.MetadataCache;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.QuotaConfig;
import org.apache.kafka.server.quota.ClientQuotaCallback;

/**
 * A class of the user's own that says who shares which quota, and how much it is ({@code
 * client.quota.callback.class}, KIP-257). Told of each change of topics and brokers.
 */
public final class QuotaCallback implements ImageListener {
  private static final String KEY = QuotaConfig.CLIENT_QUOTA_CALLBACK_CLASS_CONFIG;

  private final ClientQuotaCallback callback;
  private final ClientQuotas quotas;
  private final String clusterId;

  public QuotaCallback(ClientQuotaCallback callback, ClientQuotas quotas, String clusterId) {
    this.callback = callback;
    this.quotas = quotas;
    this.clusterId = clusterId;
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
    if ((delta.topicsDelta() != null || delta.clusterDelta() != null)
        && callback.updateClusterMetadata(MetadataCache.toCluster(clusterId, image))) {
      quotas.changed();
    }
  }
}

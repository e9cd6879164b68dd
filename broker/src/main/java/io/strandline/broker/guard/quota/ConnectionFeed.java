package io.strandline.broker.guard.quota;

import io.strandline.broker.control.ImageListener;
import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.apache.kafka.common.config.ConfigException;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.image.ClientQuotaDelta;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.config.QuotaConfig;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Passes bounds of connections that the metadata tells of to those who count. */
public final class ConnectionFeed implements ImageListener {
  private static final Logger LOG = LoggerFactory.getLogger(ConnectionFeed.class);

  private final ConnectionQuotas connections;
  private final UnaryOperator<ConnectionLimits> limits;

  /**
   * @param limits as they are now, given what they were; fails with {@link ConfigException} when
   *     they can not be read
   */
  public ConnectionFeed(ConnectionQuotas connections, UnaryOperator<ConnectionLimits> limits) {
    this.connections = connections;
    this.limits = limits;
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (changesBrokers(delta)) {
      try {
        connections.set(limits.apply(connections.limits()));
      } catch (ConfigException e) {
        refused("limits of connections", e);
      }
    }
    if (delta.clientQuotasDelta() != null) {
      delta.clientQuotasDelta().changes().forEach(this::change);
    }
  }

  private static boolean changesBrokers(MetadataDelta delta) {
    return delta.configsDelta() != null
        && delta.configsDelta().changes().keySet().stream()
            .anyMatch(resource -> resource.type() == ConfigResource.Type.BROKER);
  }

  private void change(ClientQuotaEntity of, ClientQuotaDelta delta) {
    var rate = delta.changes().get(QuotaConfig.IP_CONNECTION_RATE_OVERRIDE_CONFIG);
    if (rate == null || !of.entries().containsKey(ClientQuotaEntity.IP)) {
      return;
    }
    @Nullable String name = of.entries().get(ClientQuotaEntity.IP);
    try {
      connections.set(
          name == null ? Optional.empty() : Optional.of(InetAddress.getByName(name)),
          rate.isPresent() ? Optional.of((int) rate.getAsDouble()) : Optional.empty());
    } catch (UnknownHostException e) {
      refused("connection rate of an address", e);
    }
  }

  private static void refused(String what, Exception e) {
    LOG.atError()
        .addKeyValue("key", what)
        .addKeyValue("reason", e.getMessage())
        .log("a change was refused, the earlier value stays");
  }
}

package io.strandline.broker.guard.quota;

import io.strandline.broker.control.ImageListener;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.utils.Sanitizer;
import org.apache.kafka.image.ClientQuotaDelta;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.quota.ClientQuotaEntity.ConfigEntity;
import org.apache.kafka.server.quota.ClientQuotaManager;
import org.jspecify.annotations.Nullable;

/** Passes the quotas that the metadata tells of to those who count. */
public final class QuotaFeed implements ImageListener {
  private final ClientQuotas clients;

  public QuotaFeed(ClientQuotas clients) {
    this.clients = clients;
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    if (delta.clientQuotasDelta() != null) {
      delta.clientQuotasDelta().changes().forEach(this::change);
    }
  }

  private void change(ClientQuotaEntity of, ClientQuotaDelta delta) {
    Map<String, String> names = of.entries();
    if (names.containsKey(ClientQuotaEntity.IP)) {
      return;
    }
    Optional<ConfigEntity> user = user(names);
    Optional<ConfigEntity> clientId = clientId(names);
    delta
        .changes()
        .forEach(
            (key, bound) ->
                clients.set(
                    key,
                    user,
                    clientId,
                    bound.isPresent() ? Optional.of(bound.getAsDouble()) : Optional.empty()));
  }

  /** Present and null is the default of all users. */
  private static Optional<ConfigEntity> user(Map<String, String> names) {
    if (!names.containsKey(ClientQuotaEntity.USER)) {
      return Optional.empty();
    }
    @Nullable String name = names.get(ClientQuotaEntity.USER);
    return Optional.of(
        name == null
            ? ClientQuotaManager.DEFAULT_USER_ENTITY
            : new ClientQuotaManager.UserEntity(Sanitizer.sanitize(name)));
  }

  private static Optional<ConfigEntity> clientId(Map<String, String> names) {
    if (!names.containsKey(ClientQuotaEntity.CLIENT_ID)) {
      return Optional.empty();
    }
    @Nullable String name = names.get(ClientQuotaEntity.CLIENT_ID);
    return Optional.of(
        name == null
            ? ClientQuotaManager.DEFAULT_USER_CLIENT_ID
            : new ClientQuotaManager.ClientIdEntity(name));
  }
}

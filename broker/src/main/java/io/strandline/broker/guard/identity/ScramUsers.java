package io.strandline.broker.guard.identity;

import io.strandline.broker.control.ImageListener;
import java.util.Collection;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.admin.ScramMechanism;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.image.DelegationTokenDelta;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.image.ScramDelta;
import org.apache.kafka.metadata.ScramCredentialData;
import org.apache.kafka.security.CredentialProvider;

/** Users who log in by SCRAM, and tokens by which one does, as the cluster's metadata has them. */
public final class ScramUsers implements ImageListener {
  private static final Collection<String> MECHANISMS =
      org.apache.kafka.common.security.scram.internals.ScramMechanism.mechanismNames();

  private final DelegationTokens tokens;
  private final CredentialProvider credentials;
  private final CompletableFuture<Void> loaded = new CompletableFuture<>();

  public ScramUsers(AbstractConfig config) {
    tokens = new DelegationTokens(config);
    credentials = new CredentialProvider(MECHANISMS, tokens.cache());
  }

  /** Completes when all users of the start are known. */
  public CompletableFuture<Void> loaded() {
    return loaded;
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    ScramDelta changed = delta.scramDelta();
    if (changed != null) {
      apply(changed);
    }
    DelegationTokenDelta issued = delta.delegationTokenDelta();
    if (issued != null) {
      tokens.apply(issued);
    }
    loaded.complete(null);
  }

  private void apply(ScramDelta changed) {
    changed
        .changes()
        .forEach(
            (mechanism, users) -> users.forEach((user, change) -> set(mechanism, user, change)));
  }

  private void set(ScramMechanism mechanism, String user, Optional<ScramCredentialData> change) {
    if (change.isPresent()) {
      credentials.updateCredential(mechanism, user, change.get().toCredential());
    } else {
      credentials.removeCredentials(mechanism, user);
    }
  }

  DelegationTokens tokens() {
    return tokens;
  }

  /** For Kafka's own callback handler. */
  CredentialProvider credentials() {
    return credentials;
  }
}

package io.strandline.broker.guard.identity;

import java.security.NoSuchAlgorithmException;
import java.util.List;
import java.util.Map;
import java.util.function.Predicate;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.security.token.delegation.DelegationToken;
import org.apache.kafka.common.security.token.delegation.TokenInformation;
import org.apache.kafka.common.security.token.delegation.internals.DelegationTokenCache;
import org.apache.kafka.image.DelegationTokenDelta;
import org.apache.kafka.security.DelegationTokenManager;
import org.apache.kafka.server.config.DelegationTokenManagerConfigs;

/**
 * Delegation tokens (KIP-48), as the cluster's metadata has them. A token's password is an HMAC of
 * its id by {@code delegation.token.secret.key}; it is in no record of the metadata. Without that
 * key there are none. Any thread; {@link #apply} one at a time.
 */
public final class DelegationTokens {
  private final DelegationTokenCache cache =
      new DelegationTokenCache(ScramMechanism.mechanismNames());

  private final DelegationTokenManager tokens;

  DelegationTokens(AbstractConfig config) {
    this.tokens = new DelegationTokenManager(new DelegationTokenManagerConfigs(config), cache);
  }

  /** None, and none to come. */
  static DelegationTokens none() {
    return new DelegationTokens(
        new AbstractConfig(DelegationTokenManagerConfigs.CONFIG_DEF, Map.of(), false));
  }

  /** Whether this node can tell a token's password: {@code delegation.token.secret.key} is set. */
  public boolean enabled() {
    return tokens.isEnabled();
  }

  /** Those that are wanted, with their passwords; only where {@link #enabled}. */
  public List<DelegationToken> find(Predicate<TokenInformation> wanted) {
    return tokens.getTokens(wanted);
  }

  void apply(DelegationTokenDelta changed) {
    if (!enabled()) {
      return; // tokens of a time when there was a key: nobody can know their passwords
    }
    changed
        .changes()
        .forEach(
            (id, token) -> {
              if (token.isPresent()) {
                update(token.get().tokenInformation());
              } else {
                tokens.removeToken(id);
              }
            });
  }

  private void update(TokenInformation token) {
    try {
      tokens.updateToken(tokens.getDelegationToken(token));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JVM has the hash functions of SCRAM", e);
    }
  }

  /** For Kafka's own callback handler. */
  DelegationTokenCache cache() {
    return cache;
  }
}

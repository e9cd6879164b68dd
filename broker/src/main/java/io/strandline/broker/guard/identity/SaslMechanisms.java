package io.strandline.broker.guard.identity;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import javax.security.auth.login.LoginException;
import javax.security.sasl.Sasl;
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.SaslConfigs;
import org.apache.kafka.common.config.internals.BrokerSecurityConfigs;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.JaasContext;
import org.apache.kafka.common.security.auth.AuthenticateCallbackHandler;
import org.apache.kafka.common.security.authenticator.DefaultLogin;
import org.apache.kafka.common.security.authenticator.LoginManager;
import org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule;
import org.apache.kafka.common.security.oauthbearer.internals.unsecured.OAuthBearerUnsecuredValidatorCallbackHandler;
import org.apache.kafka.common.security.plain.internals.PlainSaslServer;
import org.apache.kafka.common.security.plain.internals.PlainServerCallbackHandler;
import org.apache.kafka.common.security.scram.ScramCredential;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.apache.kafka.common.security.scram.internals.ScramServerCallbackHandler;
import org.apache.kafka.common.utils.Utils;

/**
 * The SASL mechanisms of one listener with their callback handlers: Kafka's, or the user's ({@code
 * listener.name.<name>.<mechanism>.sasl.server.callback.handler.class}). Any thread.
 */
final class SaslMechanisms implements AutoCloseable {
  private static final String PROTOCOL = "kafka";

  private final ListenerName listener;
  private final Map<String, Object> values;
  private final Map<String, Mechanism> byName = new LinkedHashMap<>();

  private record Mechanism(
      AuthenticateCallbackHandler handler, LoginManager login, long reauthenticationMs) {}

  /**
   * @throws KafkaException when the settings do not do, with the reason
   */
  SaslMechanisms(AbstractConfig config, ListenerName listener, ScramUsers scram) {
    this.listener = listener;
    this.values = ListenerValues.of(config, listener);
    try {
      for (String name : new LinkedHashSet<>(enabled())) {
        byName.put(name, mechanism(name, scram));
      }
    } catch (LoginException | RuntimeException e) {
      close();
      throw new KafkaException(e.getMessage(), e);
    }
    if (byName.isEmpty()) {
      throw new KafkaException("no mechanism is configured (sasl.enabled.mechanisms)");
    }
  }

  private List<String> enabled() {
    Object names = values.get(BrokerSecurityConfigs.SASL_ENABLED_MECHANISMS_CONFIG);
    return names instanceof List<?> list ? list.stream().map(String::valueOf).toList() : List.of();
  }

  private Mechanism mechanism(String name, ScramUsers scram) throws LoginException {
    if (name.equals(SaslConfigs.GSSAPI_MECHANISM)) {
      throw new KafkaException("GSSAPI is not supported, set sasl.enabled.mechanisms");
    }
    JaasContext jaas = JaasContext.loadServerContext(listener, name, values);
    AuthenticateCallbackHandler handler = handler(name, scram);
    handler.configure(values, name, jaas.configurationEntries());
    LoginManager login =
        LoginManager.acquireLoginManager(jaas, name, DefaultLogin.class, new HashMap<>(values));
    return new Mechanism(handler, login, reauthenticationMs(name));
  }

  private AuthenticateCallbackHandler handler(String name, ScramUsers scram) {
    Object given =
        values.get(
            ListenerName.saslMechanismPrefix(name)
                + BrokerSecurityConfigs.SASL_SERVER_CALLBACK_HANDLER_CLASS_CONFIG);
    if (given != null) {
      return theirs(given);
    }
    if (name.equals(PlainSaslServer.PLAIN_MECHANISM)) {
      return new PlainServerCallbackHandler();
    }
    if (ScramMechanism.isScram(name)) {
      return new ScramServerCallbackHandler(
          scram.credentials().credentialCache.cache(name, ScramCredential.class),
          scram.credentials().tokenCache);
    }
    if (name.equals(OAuthBearerLoginModule.OAUTHBEARER_MECHANISM)) {
      return new OAuthBearerUnsecuredValidatorCallbackHandler();
    }
    throw new KafkaException("the mechanism " + name + " needs a callback handler of its own");
  }

  private static AuthenticateCallbackHandler theirs(Object given) {
    try {
      return given instanceof Class<?> type
          ? (AuthenticateCallbackHandler) Utils.newInstance(type)
          : Utils.newInstance(String.valueOf(given), AuthenticateCallbackHandler.class);
    } catch (ClassNotFoundException e) {
      throw new KafkaException("no such callback handler: " + given, e);
    }
  }

  private long reauthenticationMs(String name) {
    String key = BrokerSecurityConfigs.CONNECTIONS_MAX_REAUTH_MS_CONFIG;
    Object own = values.get(ListenerName.saslMechanismPrefix(name) + key);
    Object value = own == null ? values.get(key) : own;
    return value == null ? 0 : Long.parseLong(String.valueOf(value).trim());
  }

  /** Longest frame of a peer that is not known yet, in bytes. */
  int frameBytesMax() {
    return values.get(BrokerSecurityConfigs.SASL_SERVER_MAX_RECEIVE_SIZE_CONFIG)
            instanceof Integer bytes
        ? bytes
        : BrokerSecurityConfigs.DEFAULT_SASL_SERVER_MAX_RECEIVE_SIZE;
  }

  List<String> names() {
    return List.copyOf(byName.keySet());
  }

  boolean has(String name) {
    return byName.containsKey(name);
  }

  /**
   * How long a session by this mechanism may last, 0 for ever ({@code connections.max.reauth.ms}).
   */
  long sessionMsMax(String name) {
    Mechanism mechanism = byName.get(name);
    return mechanism == null ? 0 : mechanism.reauthenticationMs();
  }

  /**
   * The server's side of one exchange.
   *
   * @param host this node's address as the client knows it
   */
  SaslServer server(String name, String host) throws SaslException {
    Mechanism mechanism = byName.get(name);
    SaslServer server =
        mechanism == null
            ? null
            : Sasl.createSaslServer(name, PROTOCOL, host, values, mechanism.handler());
    if (server == null) {
      throw new SaslException("no server for mechanism " + name);
    }
    return server;
  }

  @Override
  public void close() {
    byName
        .values()
        .forEach(
            mechanism -> {
              mechanism.login().release();
              mechanism.handler().close();
            });
    byName.clear();
  }
}

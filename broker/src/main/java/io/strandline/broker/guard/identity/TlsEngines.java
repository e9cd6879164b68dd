package io.strandline.broker.guard.identity;

import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collections;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.SslClientAuth;
import org.apache.kafka.common.config.SslConfigs;
import org.apache.kafka.common.config.internals.BrokerSecurityConfigs;
import org.apache.kafka.common.network.ConnectionMode;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.network.ListenerReconfigurable;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.ssl.SslFactory;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS engines of one listener, made by Kafka's own factory from {@code ssl.*}: key stores and
 * PEM, client authentication, protocols, ciphers, an engine factory of the user's. Certificates are
 * read again by {@link #reload}; connections that are open keep theirs. Any thread.
 */
public final class TlsEngines implements ListenerReconfigurable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TlsEngines.class);
  private static final String REFUSE = "jdk.tls.rejectClientInitiatedRenegotiation";

  private final ListenerName listener;
  private final SslFactory factory;
  private String refused = "";

  /**
   * From now on no client of this process' may begin a handshake anew on a connection that is
   * encrypted (TLS 1.2), as in Kafka: it costs the client little and a thread that serves others
   * much. Java looks before its first handshake only, so this comes before that; who set the
   * property decides.
   */
  public static void refuseRenegotiation() {
    if (System.getProperty(REFUSE) == null) {
      System.setProperty(REFUSE, "true");
    }
  }

  private TlsEngines(ListenerName listener, SslFactory factory) {
    this.listener = listener;
    this.factory = factory;
  }

  /**
   * For a listener with TLS.
   *
   * @throws KafkaException when the settings do not do, with the reason
   */
  static TlsEngines of(
      AbstractConfig config, ListenerName listener, SecurityProtocol protocol, boolean ofBrokers) {
    // As Kafka: with SASL a client needs no certificate unless this listener asks for one.
    boolean none =
        protocol == SecurityProtocol.SASL_SSL
            && !ListenerValues.givenForListener(
                config, listener, BrokerSecurityConfigs.SSL_CLIENT_AUTH_CONFIG);
    SslFactory factory =
        new SslFactory(
            ConnectionMode.SERVER,
            none ? SslClientAuth.NONE.name().toLowerCase(Locale.ROOT) : null,
            ofBrokers);
    factory.configure(ListenerValues.of(config, listener));
    if (factory.sslEngineFactory().keystore() == null) {
      factory.close();
      throw new KafkaException("no certificate is configured (ssl.keystore.*)");
    }
    return new TlsEngines(listener, factory);
  }

  /**
   * An engine for one connection, on the server's side of it.
   *
   * @param host the peer's address, not looked up
   */
  public synchronized SSLEngine engine(String host, int port) {
    return factory.createSslEngine(host, port);
  }

  /**
   * Takes over what changed since: other values, or other contents of the same files. What does not
   * do is told once and leaves all as it was. Reads files.
   */
  void reload(AbstractConfig config) {
    take(ListenerValues.of(config, listener));
  }

  private void take(Map<String, ?> values) {
    try {
      Object before = factory.sslEngineFactory();
      synchronized (this) {
        factory.reconfigure(values);
      }
      refused = "";
      if (!before.equals(factory.sslEngineFactory())) {
        LOG.atInfo().addKeyValue("listener", listener.value()).log("certificates were renewed");
      }
    } catch (RuntimeException e) {
      String reason = String.valueOf(e.getMessage());
      if (!reason.equals(refused)) {
        refused = reason;
        LOG.atWarn()
            .addKeyValue("listener", listener.value())
            .addKeyValue("reason", reason)
            .log("new certificates were refused, the earlier ones stay");
      }
    }
  }

  /** When the first of its certificates ends; empty where a key store does not say. */
  Optional<Instant> expires() {
    Optional<Instant> first = Optional.empty();
    try {
      KeyStore keys = factory.sslEngineFactory().keystore();
      for (String alias : Collections.list(keys.aliases())) {
        if (keys.isKeyEntry(alias) && keys.getCertificate(alias) instanceof X509Certificate own) {
          Instant end = own.getNotAfter().toInstant();
          first = first.filter(end::isAfter).or(() -> Optional.of(end));
        }
      }
      return first;
    } catch (KeyStoreException e) {
      return Optional.empty();
    }
  }

  @Override
  public ListenerName listenerName() {
    return listener;
  }

  @Override
  public Set<String> reconfigurableConfigs() {
    return SslConfigs.RECONFIGURABLE_CONFIGS;
  }

  /** Asked before a changed setting is written down; reads files. */
  @Override
  public void validateReconfiguration(Map<String, ?> configs) {
    factory.validateReconfiguration(configs);
  }

  @Override
  public void reconfigure(Map<String, ?> configs) {
    take(configs);
  }

  @Override
  public void configure(Map<String, ?> configs) {
    // Configured when it was made.
  }

  @Override
  public void close() {
    factory.close();
  }
}

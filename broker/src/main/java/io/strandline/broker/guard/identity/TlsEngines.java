package io.strandline.broker.guard.identity;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.security.KeyStore;
import java.security.KeyStoreException;
import java.security.cert.X509Certificate;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.locks.ReentrantLock;
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
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.security.ssl.SslFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The TLS engines of one listener, made by Kafka's own factory from {@code ssl.*}: key stores and
 * PEM, client authentication, protocols, ciphers, an engine factory of the user's. Certificates are
 * read again by {@link #reload}; connections that are open keep theirs. Any thread; who wants an
 * engine does not wait while certificates are read.
 */
public final class TlsEngines implements ListenerReconfigurable, AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(TlsEngines.class);

  /** What was refused may do later, as a certificate that is not valid yet: each so many looks. */
  private static final int PASSED_OVER_MAX = 30;

  private static final String REFUSE = "jdk.tls.rejectClientInitiatedRenegotiation";

  private final ListenerName listener;
  private final SslFactory factory;

  /** Held by who reads certificates, which takes as long as a file system does. */
  private final ReentrantLock reading = new ReentrantLock();

  private volatile SslEngineFactory engines;
  private @Nullable Refused refused;
  private int passedOver;

  /** What was not taken over: values, and the files they name as they were then. */
  private record Refused(String reason, Map<String, ?> values, List<Object> files) {}

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
    this.engines = factory.sslEngineFactory();
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
    Map<String, Object> values = ListenerValues.of(config, listener);
    factory.configure(values);
    if (!ofTheUser(values) && factory.sslEngineFactory().keystore() == null) {
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
  public SSLEngine engine(String host, int port) {
    SslEngineFactory now = engines;
    try {
      return now.createServerSslEngine(host, port);
    } catch (RuntimeException failure) {
      SslEngineFactory next = factory.sslEngineFactory(); // which closes those that it replaces
      if (next.equals(now)) {
        throw failure;
      }
      return next.createServerSslEngine(host, port);
    }
  }

  /** Whose key stores, if it has any, are its own affair. */
  private static boolean ofTheUser(Map<String, ?> values) {
    return values.get(SslConfigs.SSL_ENGINE_FACTORY_CLASS_CONFIG) != null;
  }

  /**
   * Takes over what changed since: other values, or other contents of the same files. What does not
   * do is told once and leaves all as it was. Reads files, unless another thread does.
   */
  void reload(AbstractConfig config) {
    if (reading.tryLock()) {
      try {
        Map<String, ?> values = ListenerValues.of(config, listener);
        List<Object> files = files(values);
        if (!passesOver(values, files)) {
          take(values, files);
        }
      } finally {
        reading.unlock();
      }
    }
  }

  private boolean passesOver(Map<String, ?> values, List<Object> files) {
    Refused before = refused;
    boolean same =
        before != null
            && !ofTheUser(values)
            && before.values().equals(values)
            && before.files().equals(files);
    passedOver = same ? (passedOver + 1) % PASSED_OVER_MAX : 0;
    return passedOver > 0;
  }

  private static List<Object> files(Map<String, ?> values) {
    return List.of(
        file(values.get(SslConfigs.SSL_KEYSTORE_LOCATION_CONFIG)),
        file(values.get(SslConfigs.SSL_TRUSTSTORE_LOCATION_CONFIG)));
  }

  /** By which one knows a file that was replaced. */
  private static Object file(@Nullable Object location) {
    try {
      BasicFileAttributes of =
          Files.readAttributes(Path.of(String.valueOf(location)), BasicFileAttributes.class);
      return List.of(of.lastModifiedTime(), of.size(), String.valueOf(of.fileKey()));
    } catch (IOException | InvalidPathException none) {
      return "none";
    }
  }

  /** Under the lock. */
  private void take(Map<String, ?> values, List<Object> files) {
    try {
      factory.reconfigure(values);
      refused = null;
      if (!engines.equals(factory.sslEngineFactory())) {
        engines = factory.sslEngineFactory();
        LOG.atInfo().addKeyValue("listener", listener.value()).log("certificates were renewed");
      }
    } catch (RuntimeException e) {
      Refused before = refused;
      refused = new Refused(String.valueOf(e.getMessage()), values, files);
      if (before == null || !before.reason().equals(refused.reason())) {
        LOG.atWarn()
            .addKeyValue("listener", listener.value())
            .addKeyValue("reason", refused.reason())
            .log("new certificates were refused, the earlier ones stay");
      }
    }
  }

  /** When the first of its certificates ends; empty where a key store does not say. */
  Optional<Instant> expires() {
    Optional<Instant> first = Optional.empty();
    try {
      KeyStore keys = engines.keystore();
      if (keys == null) {
        return first;
      }
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
    reading.lock();
    try {
      factory.validateReconfiguration(configs);
    } finally {
      reading.unlock();
    }
  }

  @Override
  public void reconfigure(Map<String, ?> configs) {
    reading.lock();
    try {
      take(configs, files(configs));
    } finally {
      reading.unlock();
    }
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

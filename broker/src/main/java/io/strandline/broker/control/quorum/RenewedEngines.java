package io.strandline.broker.control.quorum;

import java.security.KeyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.network.ConnectionMode;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.security.ssl.SslFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's own TLS engines, of files that are read again when they were replaced: each new
 * connection looks first. For the controller's listener and all that connects to it, of which Kafka
 * has parts that never hear of a renewed certificate (the metadata quorum's). What Kafka's factory
 * would not take at a listener, as a certificate of another name, is told once, and the engines
 * stay as they were. Any thread.
 */
public final class RenewedEngines implements SslEngineFactory {
  /** The key under which a listener has this class. */
  public static final String KEY = "ssl.engine.factory.class";

  private static final Logger LOG = LoggerFactory.getLogger(RenewedEngines.class);

  /** Its mode is for engines that it makes itself, and it makes none here. */
  private final SslFactory factory = new SslFactory(ConnectionMode.SERVER);

  private Map<String, Object> configs = Map.of();
  private String refused = "";

  @Override
  public synchronized void configure(Map<String, ?> given) {
    configs = withoutUs(given);
    factory.configure(configs);
  }

  /** With the engine factory that Kafka takes if none is named. */
  private static Map<String, Object> withoutUs(Map<String, ?> given) {
    Map<String, Object> all = new HashMap<>(given);
    all.remove(KEY);
    return all;
  }

  /** Closed as soon as it is replaced, so only used under the lock. */
  private SslEngineFactory current() {
    SslEngineFactory before = factory.sslEngineFactory();
    try {
      factory.reconfigure(configs);
      refused = "";
      if (!before.equals(factory.sslEngineFactory())) {
        LOG.atInfo().log("certificates for the controller were renewed");
      }
    } catch (RuntimeException e) {
      String reason = String.valueOf(e.getMessage());
      if (!reason.equals(refused)) {
        refused = reason;
        LOG.atWarn()
            .addKeyValue("reason", reason)
            .log("new certificates for the controller were refused, the earlier ones stay");
      }
    }
    return factory.sslEngineFactory();
  }

  @Override
  public synchronized SSLEngine createClientSslEngine(
      String host, int port, @Nullable String endpointIdentification) {
    return current().createClientSslEngine(host, port, endpointIdentification);
  }

  @Override
  public synchronized SSLEngine createServerSslEngine(String host, int port) {
    return current().createServerSslEngine(host, port);
  }

  @Override
  public synchronized boolean shouldBeRebuilt(Map<String, Object> next) {
    return factory.sslEngineFactory().shouldBeRebuilt(withoutUs(next));
  }

  @Override
  public synchronized Set<String> reconfigurableConfigs() {
    return factory.reconfigurableConfigs();
  }

  @Override
  public synchronized @Nullable KeyStore keystore() {
    return factory.sslEngineFactory().keystore();
  }

  @Override
  public synchronized @Nullable KeyStore truststore() {
    return factory.sslEngineFactory().truststore();
  }

  @Override
  public synchronized void close() {
    factory.close();
  }
}

package io.strandline.broker.control.quorum;

import java.security.KeyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import javax.net.ssl.SSLEngine;
import org.apache.kafka.common.security.auth.SslEngineFactory;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Kafka's own TLS engines, of files that are read again when they were replaced: each new
 * connection looks first. For the controller's listener and all that connects to it, of which Kafka
 * has parts that never hear of a renewed certificate (the metadata quorum's). What does not do is
 * told once, and the engines stay as they were. Any thread.
 */
public final class RenewedEngines implements SslEngineFactory {
  /** The key under which a listener has this class. */
  public static final String KEY = "ssl.engine.factory.class";

  private static final Logger LOG = LoggerFactory.getLogger(RenewedEngines.class);

  private DefaultSslEngineFactory engines = new DefaultSslEngineFactory();
  private Map<String, Object> configs = Map.of();
  private String refused = "";

  @Override
  public synchronized void configure(Map<String, ?> given) {
    engines.configure(given);
    configs = new HashMap<>(given);
  }

  private synchronized DefaultSslEngineFactory current() {
    if (!engines.shouldBeRebuilt(configs)) {
      return engines;
    }
    try {
      DefaultSslEngineFactory fresh = new DefaultSslEngineFactory();
      fresh.configure(configs);
      engines = fresh;
      refused = "";
      LOG.atInfo().log("certificates for the controller were renewed");
    } catch (RuntimeException e) {
      String reason = String.valueOf(e.getMessage());
      if (!reason.equals(refused)) {
        refused = reason;
        LOG.atWarn()
            .addKeyValue("reason", reason)
            .log("new certificates for the controller were refused, the earlier ones stay");
      }
    }
    return engines;
  }

  @Override
  public SSLEngine createClientSslEngine(
      String host, int port, @Nullable String endpointIdentification) {
    return current().createClientSslEngine(host, port, endpointIdentification);
  }

  @Override
  public SSLEngine createServerSslEngine(String host, int port) {
    return current().createServerSslEngine(host, port);
  }

  @Override
  public synchronized boolean shouldBeRebuilt(Map<String, Object> next) {
    return engines.shouldBeRebuilt(next);
  }

  @Override
  public synchronized Set<String> reconfigurableConfigs() {
    return engines.reconfigurableConfigs();
  }

  @Override
  public synchronized @Nullable KeyStore keystore() {
    return engines.keystore();
  }

  @Override
  public synchronized @Nullable KeyStore truststore() {
    return engines.truststore();
  }

  @Override
  public synchronized void close() {
    engines.close();
  }
}

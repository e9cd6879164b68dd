package io.strandline.broker.guard.identity;

import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Supplier;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Reconfigurable;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.server.config.AbstractKafkaConfig;

/** How the peers of all listeners of a node show who they are. Any thread. */
public final class NodeSecurity implements AutoCloseable {
  private final Supplier<? extends AbstractKafkaConfig> config;
  private final DelegationTokens tokens;
  private final Map<String, ListenerSecurity> listeners = new ConcurrentHashMap<>();

  /**
   * @param config as it is now, with what was changed while this node runs
   * @throws KafkaException when a listener's settings do not do, with its name and the reason
   */
  public NodeSecurity(
      Supplier<? extends AbstractKafkaConfig> config,
      List<Endpoint> endpoints,
      ScramUsers scram,
      InstantSource clock) {
    this.config = config;
    this.tokens = scram.tokens();
    AbstractKafkaConfig now = config.get();
    for (Endpoint endpoint : endpoints) {
      ListenerName name = ListenerName.normalised(endpoint.listener());
      boolean ofBrokers = name.equals(now.interBrokerListenerName());
      try {
        listeners.put(
            endpoint.listener(),
            ListenerSecurity.of(
                now,
                name,
                endpoint.securityProtocol(),
                ofBrokers,
                new ListenerSecurity.Sources(scram, clock)));
      } catch (RuntimeException e) {
        close();
        throw new KafkaException("listener " + endpoint.listener() + ": " + reason(e), e);
      }
    }
  }

  private NodeSecurity(String openListener) {
    this.config =
        () -> {
          throw new IllegalStateException("nothing to load");
        };
    tokens = DelegationTokens.none();
    listeners.put(openListener, ListenerSecurity.none(openListener));
  }

  private static String reason(Throwable e) {
    Throwable cause = e;
    while (cause.getCause() != null && !Objects.equals(cause.getCause(), cause)) {
      cause = cause.getCause();
    }
    return String.valueOf(cause.getMessage() == null ? e.getMessage() : cause.getMessage());
  }

  /** One listener, without any security. */
  public static NodeSecurity none(String listener) {
    return new NodeSecurity(listener);
  }

  /** A listener's, by its name in the configuration. */
  public ListenerSecurity of(String listener) {
    ListenerSecurity known = listeners.get(listener);
    if (known == null) {
      throw new IllegalArgumentException("no such listener: " + listener);
    }
    return known;
  }

  /** By which one may log in at any listener with SCRAM. */
  public DelegationTokens tokens() {
    return tokens;
  }

  /** Who judges and takes over changed settings of certificates. */
  public List<Reconfigurable> certificates() {
    return listeners.values().stream()
        .flatMap(listener -> listener.tls().stream())
        .map(Reconfigurable.class::cast)
        .toList();
  }

  /** Tells when the certificate of each listener with TLS ends. */
  public void bindTo(MeterRegistry meters) {
    listeners.forEach(
        (name, listener) ->
            listener
                .tls()
                .ifPresent(
                    tls ->
                        Gauge.builder(
                                "strandline.listener.certificate.expires",
                                tls,
                                known -> known.expires().map(Instant::getEpochSecond).orElse(0L))
                            .baseUnit("seconds")
                            .tag("listener", name)
                            .strongReference(true)
                            .register(meters)));
  }

  /** Reads certificates again where they or the settings changed. Reads files. */
  public void reload() {
    AbstractKafkaConfig now = config.get();
    listeners.values().forEach(listener -> listener.reload(now));
  }

  @Override
  public void close() {
    listeners.values().forEach(ListenerSecurity::close);
    listeners.clear();
  }
}

package io.strandline.broker.guard.identity;

import java.io.Closeable;
import java.net.InetAddress;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Map;
import java.util.Optional;
import javax.net.ssl.SSLSession;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.internals.BrokerSecurityConfigs;
import org.apache.kafka.common.network.ChannelBuilders;
import org.apache.kafka.common.network.ListenerName;
import org.apache.kafka.common.security.auth.AuthenticationContext;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.KafkaPrincipalBuilder;
import org.apache.kafka.common.security.auth.KafkaPrincipalSerde;
import org.apache.kafka.common.security.auth.PlaintextAuthenticationContext;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.auth.SslAuthenticationContext;
import org.apache.kafka.common.security.authenticator.DefaultKafkaPrincipalBuilder;
import org.apache.kafka.common.security.ssl.SslPrincipalMapper;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/** How the peers of one listener show who they are. Any thread. */
public final class ListenerSecurity implements AutoCloseable {
  private static final String FAILURE_DELAY = "connection.failed.authentication.delay.ms";

  private final ListenerName listener;
  private final SecurityProtocol protocol;
  private final KafkaPrincipalBuilder principals;
  private final InstantSource clock;
  private final @Nullable TlsEngines tls;
  private final @Nullable SaslMechanisms sasl;
  private final long failureDelayMs;

  private ListenerSecurity(
      ListenerName listener,
      SecurityProtocol protocol,
      AbstractConfig config,
      InstantSource clock,
      Parts parts) {
    this.listener = listener;
    this.protocol = protocol;
    this.clock = clock;
    this.tls = parts.tls;
    this.sasl = parts.sasl;
    Map<String, Object> values = ListenerValues.of(config, listener);
    this.principals = ChannelBuilders.createPrincipalBuilder(values, null, mapper(values));
    Object delay = values.get(FAILURE_DELAY);
    this.failureDelayMs = delay instanceof Number ms ? ms.longValue() : 0;
  }

  private ListenerSecurity(ListenerName listener) {
    this.listener = listener;
    this.protocol = SecurityProtocol.PLAINTEXT;
    this.clock = InstantSource.fixed(Instant.EPOCH); // nobody's session ends here
    this.tls = null;
    this.sasl = null;
    this.principals = new DefaultKafkaPrincipalBuilder(null, null);
    this.failureDelayMs = 0;
  }

  private record Parts(@Nullable TlsEngines tls, @Nullable SaslMechanisms sasl) {}

  /** A listener that asks nobody who he is. */
  public static ListenerSecurity none(String listener) {
    return new ListenerSecurity(ListenerName.normalised(listener));
  }

  /**
   * @throws KafkaException when the settings do not do, with the reason
   */
  static ListenerSecurity of(
      AbstractConfig config,
      ListenerName listener,
      SecurityProtocol protocol,
      boolean ofBrokers,
      Sources sources) {
    boolean encrypts = protocol == SecurityProtocol.SSL || protocol == SecurityProtocol.SASL_SSL;
    boolean asks =
        protocol == SecurityProtocol.SASL_PLAINTEXT || protocol == SecurityProtocol.SASL_SSL;
    TlsEngines tls = encrypts ? TlsEngines.of(config, listener, protocol, ofBrokers) : null;
    try {
      SaslMechanisms sasl = asks ? new SaslMechanisms(config, listener, sources.scram()) : null;
      return new ListenerSecurity(
          listener, protocol, config, sources.clock(), new Parts(tls, sasl));
    } catch (RuntimeException e) {
      if (tls != null) {
        tls.close();
      }
      throw e;
    }
  }

  /** What all listeners of a node share. */
  record Sources(ScramUsers scram, InstantSource clock) {}

  private static SslPrincipalMapper mapper(Map<String, Object> values) {
    Object rules = values.get(BrokerSecurityConfigs.SSL_PRINCIPAL_MAPPING_RULES_CONFIG);
    return SslPrincipalMapper.fromRules(
        rules == null
            ? BrokerSecurityConfigs.DEFAULT_SSL_PRINCIPAL_MAPPING_RULES
            : String.valueOf(rules));
  }

  /** The engines that encrypt, empty on a listener without TLS. */
  public Optional<TlsEngines> tls() {
    return Optional.ofNullable(tls);
  }

  /** Whether peers must log in. */
  public boolean asks() {
    return sasl != null;
  }

  /** Longest frame of a peer that has not logged in yet, in bytes; only where {@link #asks}. */
  public int frameBytesMax() {
    return mechanisms().frameBytesMax();
  }

  /**
   * A log-in that fails is answered so much later ({@code
   * connection.failed.authentication.delay.ms}).
   */
  public long failureDelayMs() {
    return failureDelayMs;
  }

  /** Who a peer is by its certificate, or for want of one; only where {@link #asks} is false. */
  public KafkaPrincipal principal(InetAddress address, @Nullable SSLSession session) {
    return build(
        session == null
            ? new PlaintextAuthenticationContext(address, listener.value())
            : new SslAuthenticationContext(session, address, listener.value()));
  }

  KafkaPrincipal build(AuthenticationContext context) {
    return principals.build(context);
  }

  /** Writes principals for the controller. */
  public KafkaPrincipalSerde principalSerde() {
    return principals;
  }

  /** A first log-in; only where {@link #asks}. */
  public SaslConversation conversation(SaslConversation.Ends ends) {
    return new SaslConversation(this, ends, null);
  }

  SaslMechanisms mechanisms() {
    if (sasl == null) {
      throw new IllegalStateException("nobody logs in at listener " + listener.value());
    }
    return sasl;
  }

  ListenerName listener() {
    return listener;
  }

  SecurityProtocol protocol() {
    return protocol;
  }

  InstantSource clock() {
    return clock;
  }

  void reload(AbstractConfig config) {
    if (tls != null) {
      tls.reload(config);
    }
  }

  @Override
  public void close() {
    if (tls != null) {
      tls.close();
    }
    if (sasl != null) {
      sasl.close();
    }
    if (principals instanceof Closeable closeable) {
      Utils.closeQuietly(closeable, "principal builder");
    }
  }
}

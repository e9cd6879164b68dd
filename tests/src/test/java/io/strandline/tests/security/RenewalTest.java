package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.X509Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What ends and must be renewed: sessions and certificates. And what comes before a log-in. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class RenewalTest {
  private Path dir;
  private Secured secured;
  private SecureNode node;
  private Path second;
  private Path third;
  private Path trust;

  @BeforeAll
  void start(@TempDir Path temporary) throws Exception {
    dir = temporary;
    secured = new Secured(dir);
    Certificates certificates = new Certificates(dir);
    second = certificates.make("second.p12", "server");
    third = certificates.make("third.p12", "server");
    Path first = Files.copy(secured.serverKey, dir.resolve("first.p12"));
    trust = certificates.trust("all.p12", first, second, third);
    Map<String, String> settings = new HashMap<>(secured.settings());
    addLong(settings);
    settings.put("listener.name.plain.plain.connections.max.reauth.ms", "1200");
    settings.put("strandline.security.reload.ms", "50");
    settings.put("strandline.admin.listener", "127.0.0.1:0");
    node = new SecureNode(dir, settings);
  }

  /** A listener as PLAIN, whose sessions last as long as can be said. */
  private static void addLong(Map<String, String> settings) {
    settings.merge("listeners", ",LONG://127.0.0.1:0", String::concat);
    settings.merge("listener.security.protocol.map", ",LONG:SASL_PLAINTEXT", String::concat);
    for (String key : List.copyOf(settings.keySet())) {
      if (key.startsWith("listener.name.plain.")) {
        settings.put(key.replace("name.plain.", "name.long."), settings.get(key));
      }
    }
    settings.put(
        "listener.name.long.plain.connections.max.reauth.ms", String.valueOf(Long.MAX_VALUE));
  }

  @AfterAll
  void stop() {
    node.close();
  }

  // ---- sessions

  @Test
  void aClientLogsInAgainAndGoesOn() {
    try (Admin admin = node.admin("PLAIN", Secured.admin())) {
      SecureNode.create(admin, "long");
    }
    try (KafkaProducer<String, String> producer =
        node.producer("PLAIN", Secured.plain("alice", Secured.ALICE_PASSWORD))) {
      SecureNode.await(
          "the producer to log in again twice",
          () -> {
            SecureNode.send(producer, "long", "value");
            return producer.metrics().values().stream()
                .filter(m -> m.metricName().name().equals("successful-reauthentication-total"))
                .anyMatch(m -> (Double) m.metricValue() >= 2);
          });
      assertThat(producer.metrics().values())
          .filteredOn(m -> m.metricName().name().equals("connection-close-total"))
          .noneMatch(m -> (Double) m.metricValue() > 1);
    }
  }

  @Test
  void whoDoesNotLogInAgainIsCutOff() throws IOException {
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      client.versions();
      assertThat(client.handshake(1, "PLAIN").error()).isEqualTo(Errors.NONE);
      var in = client.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
      assertThat(in.error()).isEqualTo(Errors.NONE);
      assertThat(in.sessionLifetimeMs()).isEqualTo(1200);
      assertThatThrownBy(
              () -> {
                // Many times the session, so that an endless one is no endless test.
                long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(20);
                while (System.nanoTime() < until) {
                  client.versions();
                }
              })
          .isInstanceOf(IOException.class);
    }
  }

  @Test
  void aSessionOfAnyLengthIsServed() throws Exception {
    try (RawClient client = new RawClient(node.port("LONG"))) {
      client.handshake(1, "PLAIN");
      var in = client.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
      assertThat(in.sessionLifetimeMs()).isPositive();
      assertThat(client.versions().errorCounts()).containsKey(Errors.NONE);
    }
    try (Admin admin = node.admin("LONG", Secured.admin())) {
      assertThat(SecureNode.get(admin.describeCluster().nodes())).isNotEmpty();
    }
  }

  /** Not more than once a second: before that a handshake is refused, and the session goes on. */
  @Test
  void theFirstRenewalMayComeAtOnceAndTheNextLater() throws Exception {
    byte[] token = RawClient.plain("alice", Secured.ALICE_PASSWORD);
    try (RawClient client = new RawClient(node.port("LONG"))) {
      client.handshake(1, "PLAIN");
      client.authenticate(token);
      assertThat(client.handshake(1, "PLAIN").error()).isEqualTo(Errors.NONE);
      assertThat(client.authenticate(token).error()).isEqualTo(Errors.NONE);
      SecureNode.await(
          "a second renewal",
          () -> {
            try {
              return client.handshake(1, "PLAIN").error() == Errors.NONE;
            } catch (IOException e) {
              throw new IllegalStateException(e);
            }
          });
      assertThat(client.authenticate(token).error()).isEqualTo(Errors.NONE);
    }
  }

  @Test
  void nobodyBecomesSomebodyElse() throws Exception {
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      client.handshake(1, "PLAIN");
      client.authenticate(RawClient.plain("alice", Secured.ALICE_PASSWORD));
      assertThat(client.handshake(1, "PLAIN").error()).isEqualTo(Errors.NONE);
      var other = client.authenticate(RawClient.plain("admin", Secured.ADMIN_PASSWORD));
      assertThat(other.error()).isEqualTo(Errors.SASL_AUTHENTICATION_FAILED);
      assertThat(client.closed()).isTrue();
    }
  }

  // ---- before a log-in

  @Test
  void tokensOfOldClientsHaveNoHeader() throws IOException {
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      assertThat(client.handshake(0, "PLAIN").error()).isEqualTo(Errors.NONE);
      assertThat(client.token(RawClient.plain("alice", Secured.ALICE_PASSWORD))).isEmpty();
      assertThat(client.versions().errorCounts()).containsKey(Errors.NONE);
    }
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      client.handshake(0, "PLAIN");
      client.write(java.nio.ByteBuffer.wrap(RawClient.plain("alice", "wrong")));
      assertThat(client.closed()).isTrue();
    }
  }

  @Test
  void nothingIsServedToWhoIsNotKnown() throws IOException {
    for (ApiKeys api : RawClient.early()) {
      try (RawClient client = new RawClient(node.port("PLAIN"))) {
        client.sendEmpty(api);
        assertThat(client.closed()).as("%s before a log-in", api).isTrue();
      }
    }
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      client.handshake(1, "PLAIN");
      client.sendEmpty(ApiKeys.METADATA);
      assertThat(client.closed()).as("Metadata during a log-in").isTrue();
    }
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      client.claim(600_000);
      assertThat(client.closed()).as("more than sasl.server.max.receive.size").isTrue();
    }
    try (RawClient client = new RawClient(node.port("PLAIN"))) {
      assertThat(client.handshake(1, "SCRAM-SHA-512").error())
          .isEqualTo(Errors.UNSUPPORTED_SASL_MECHANISM);
      assertThat(client.closed()).isTrue();
    }
  }

  // ---- certificates

  /** The last: the others trust the certificate that the node began with. */
  @Test
  @Order(Integer.MAX_VALUE)
  void newCertificatesAreShownWithoutARestart() throws Exception {
    Path file = secured.serverKey;
    Certificate before = Certificates.certificate(file);
    try (Admin admin = node.admin("PLAIN", Secured.admin());
        SSLSocket open = connect()) {
      assertThat(open.getSession().getPeerCertificates()[0]).isEqualTo(before);
      Certificates.replace(file, second);
      awaitCertificate(Certificates.certificate(second));
      assertThat(ends("TLS")).isEqualTo(end(Certificates.certificate(second)));
      Path garbage = Files.writeString(dir.resolve("garbage.p12"), "no key store");
      Certificates.replace(file, garbage);
      ConfigResource broker = new ConfigResource(ConfigResource.Type.BROKER, "1");
      assertThatThrownBy(() -> keyStore(admin, broker, garbage))
          .isInstanceOf(InvalidRequestException.class);
      keyStore(admin, broker, third);
      awaitCertificate(Certificates.certificate(third));
      assertThat(ends("TLS")).isEqualTo(end(Certificates.certificate(third)));
      assertThat(ends("PEM")).isPositive();
      open.getOutputStream().write(new byte[] {0, 0});
      assertThat(open.isClosed()).isFalse();
    }
  }

  /** As Prometheus is told, in seconds. */
  private long ends(String listener) throws IOException {
    String name = "strandline_listener_certificate_expires_seconds{listener=\"" + listener + "\"}";
    return node.metrics()
        .lines()
        .filter(line -> line.startsWith(name))
        .mapToLong(line -> (long) Double.parseDouble(line.substring(line.lastIndexOf(' '))))
        .findFirst()
        .orElseThrow();
  }

  private static long end(Certificate certificate) {
    return ((X509Certificate) certificate).getNotAfter().toInstant().getEpochSecond();
  }

  private static void keyStore(Admin admin, ConfigResource broker, Path file) {
    AlterConfigOp change =
        new AlterConfigOp(
            new ConfigEntry("listener.name.tls.ssl.keystore.location", file.toString()),
            AlterConfigOp.OpType.SET);
    SecureNode.get(admin.incrementalAlterConfigs(Map.of(broker, List.of(change))).all());
  }

  private void awaitCertificate(Certificate wanted) {
    SecureNode.await(
        "the new certificate",
        () -> {
          try (SSLSocket socket = connect()) {
            return socket.getSession().getPeerCertificates()[0].equals(wanted);
          } catch (Exception e) {
            throw new IllegalStateException(e);
          }
        });
  }

  private SSLSocket connect() throws GeneralSecurityException, IOException {
    KeyStore all = Certificates.load(trust);
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(all);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, managers.getTrustManagers(), null);
    SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", node.port("TLS"));
    socket.setSoTimeout(20_000);
    socket.startHandshake();
    return socket;
  }

  @Test
  void aTokenThatEndsEndsTheSession() throws Exception {
    assertThatThrownBy(
            () -> {
              try (Admin admin =
                  node.admin(
                      "OAUTH", secured.bearer(secured.tokens.token("over.jwt", "carol", -5)))) {
                SecureNode.get(admin.describeCluster().nodes());
              }
            })
        .isInstanceOf(SaslAuthenticationException.class);
  }
}

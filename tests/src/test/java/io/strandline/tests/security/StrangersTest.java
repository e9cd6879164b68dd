package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeout;

import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509ExtendedTrustManager;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.common.message.FetchRequestData;
import org.apache.kafka.common.quota.ClientQuotaAlteration;
import org.apache.kafka.common.quota.ClientQuotaEntity;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.FetchRequest;
import org.apache.kafka.common.requests.RequestHeader;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.MethodOrderer;
import org.junit.jupiter.api.Order;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.TestMethodOrder;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** What those may do to a node, and what it does to them, of whom it is not known who they are. */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
@TestMethodOrder(MethodOrderer.OrderAnnotation.class)
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class StrangersTest {
  private static final int DEAF = 10;
  private Secured secured;
  private SecureNode node;

  @BeforeAll
  void start(@TempDir Path dir) throws Exception {
    secured = new Secured(dir);
    Map<String, String> settings = new HashMap<>(secured.settings());
    settings.put("socket.request.max.bytes", String.valueOf(16 << 20));
    settings.put("strandline.socket.in.flight.bytes", String.valueOf(64 << 20));
    settings.put("quota.window.num", "2");
    settings.put("strandline.admin.listener", "127.0.0.1:0");
    settings.merge("listeners", ",HELD://127.0.0.1:0", String::concat);
    settings.merge("listener.security.protocol.map", ",HELD:SASL_PLAINTEXT", String::concat);
    settings.put("listener.name.held.sasl.enabled.mechanisms", "PLAIN");
    settings.put(
        "listener.name.held.plain.sasl.jaas.config",
        "org.apache.kafka.common.security.plain.PlainLoginModule required;");
    settings.put(
        "listener.name.held.plain.sasl.server.callback.handler.class", HeldLogIns.class.getName());
    node = new SecureNode(dir, settings);
  }

  @AfterAll
  void stop() {
    node.close();
  }

  @Test
  @Order(1)
  void whoClaimsMuchBeforeLoggingInKeepsNobodyFromIt() throws Exception {
    List<Socket> silent = new ArrayList<>();
    for (int i = 0; i < 300; i++) {
      Socket one = new Socket("127.0.0.1", node.port("PLAIN"));
      one.getOutputStream().write(ByteBuffer.allocate(4).putInt(512 << 10).array());
      silent.add(one);
    }
    try (RawClient alice = new RawClient(node.port("PLAIN"))) {
      logIn(alice);
      alice.versions();
    }
    for (Socket one : silent) {
      one.close();
    }
  }

  /** Those who are judged slowly at one listener, and those who did not wait for it. */
  @Test
  @Order(1)
  void whoWaitsToBeJudgedKeepsNobodyFromAnotherListenerNorDoesWhoHasGone() throws Exception {
    List<RawClient> waiting = new ArrayList<>();
    double open = connections();
    for (int i = 0; i < 10; i++) {
      RawClient one = new RawClient(node.port("HELD"));
      one.handshake(0, "PLAIN");
      one.write(ByteBuffer.wrap(RawClient.plain("anybody", "any")));
      waiting.add(one);
    }
    SecureNode.await("as many as may be judged at once", () -> HeldLogIns.BEGUN.get() == 2);
    try (RawClient alice = new RawClient(node.port("PLAIN"))) {
      logIn(alice);
    }
    for (RawClient one : waiting) {
      one.close();
    }
    SecureNode.await("all to be gone", () -> connections() <= open);
    for (int i = 0; i < 6; i++) { // each loop has done what it does for those
      try (RawClient other = new RawClient(node.port("PLAIN"))) {
        other.versions();
      }
    }
    HeldLogIns.RELEASED.countDown();
    try (RawClient last = new RawClient(node.port("HELD"))) {
      last.handshake(0, "PLAIN");
      assertThat(last.token(RawClient.plain("anybody", "any"))).isEmpty();
    }
    assertThat(HeldLogIns.BEGUN).hasValue(3);
  }

  private double connections() {
    try {
      return node.metrics()
          .lines()
          .filter(line -> line.startsWith("strandline_socket_connections "))
          .mapToDouble(line -> Double.parseDouble(line.substring(line.lastIndexOf(' '))))
          .findFirst()
          .orElseThrow();
    } catch (IOException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void logIn(RawClient alice) throws IOException {
    assertThat(alice.versions().throttleTimeMs()).isZero();
    assertThat(alice.handshake(1, "PLAIN").error().code()).isZero();
    byte[] token = RawClient.plain("alice", Secured.ALICE_PASSWORD);
    assertThat(alice.authenticate(token).error().code()).isZero();
  }

  @Test
  @Order(2)
  void logInsAreChargedToNobody() throws Exception {
    try (Admin admin = node.admin("PLAIN", Secured.admin())) {
      quota(admin, "admin", 1e6);
      quota(admin, null, 0.01);
      try (RawClient alice = new RawClient(node.port("PLAIN"))) {
        logIn(alice);
        SecureNode.await("the quota to be felt", () -> throttled(alice));
      }
      for (int i = 0; i < 50; i++) {
        try (RawClient alice = new RawClient(node.port("PLAIN"))) {
          logIn(alice);
        }
      }
      quota(admin, null, null);
    }
  }

  private static boolean throttled(RawClient client) {
    try {
      return client.versions().throttleTimeMs() > 0;
    } catch (IOException e) {
      throw new java.io.UncheckedIOException(e);
    }
  }

  private static void quota(Admin admin, String user, Double percent) {
    ClientQuotaEntity who = new ClientQuotaEntity(Collections.singletonMap("user", user));
    var change = new ClientQuotaAlteration.Op("request_percentage", percent);
    SecureNode.get(
        admin.alterClientQuotas(List.of(new ClientQuotaAlteration(who, List.of(change)))).all());
  }

  private SSLSocket tls(String version) throws Exception {
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, new TrustManager[] {new Trusting()}, new SecureRandom());
    SSLSocket socket =
        (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", node.port("TLS"));
    socket.setEnabledProtocols(new String[] {version});
    socket.setSoTimeout(10_000);
    return socket;
  }

  private static void send(SSLSocket socket, AbstractRequest request) throws IOException {
    ByteBuffer body =
        request.serializeWithHeader(
            new RequestHeader(request.apiKey(), request.version(), "raw", 1));
    byte[] frame = new byte[4 + body.remaining()];
    ByteBuffer.wrap(frame).putInt(body.remaining()).put(body);
    socket.getOutputStream().write(frame);
  }

  /** Each of them was waited for three seconds, one after the other. */
  @Test
  @Order(3)
  void aNodeStopsThoughManyDoNotListen() throws Exception {
    try (Admin admin = node.admin("TLS", secured.tls())) {
      SecureNode.create(admin, "long");
    }
    try (KafkaProducer<String, String> producer = node.producer("TLS", secured.tls())) {
      for (int i = 0; i < 12; i++) {
        SecureNode.send(producer, "long", "x".repeat(900_000));
      }
    }
    var partition =
        new FetchRequestData.FetchPartition().setPartitionMaxBytes(50 << 20).setFetchOffset(0);
    var of = new FetchRequestData.FetchTopic().setTopic("long").setPartitions(List.of(partition));
    FetchRequestData data = new FetchRequestData().setMaxBytes(50 << 20).setMinBytes(1);
    FetchRequest fetch = new FetchRequest(data.setTopics(List.of(of)), (short) 12);
    List<SSLSocket> deaf = new ArrayList<>();
    for (int i = 0; i < DEAF; i++) {
      SSLSocket one = tls("TLSv1.3");
      send(one, fetch);
      one.getInputStream().read(); // the answer is under way
      deaf.add(one);
    }
    assertTimeout(Duration.ofSeconds(20), () -> node.close());
    for (SSLSocket one : deaf) {
      one.close();
    }
  }

  /** Trusts everybody. */
  private static final class Trusting extends X509ExtendedTrustManager {
    @Override
    public void checkClientTrusted(
        java.security.cert.X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkServerTrusted(
        java.security.cert.X509Certificate[] chain, String type, Socket socket) {}

    @Override
    public void checkClientTrusted(
        java.security.cert.X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

    @Override
    public void checkServerTrusted(
        java.security.cert.X509Certificate[] chain, String type, javax.net.ssl.SSLEngine engine) {}

    @Override
    public void checkClientTrusted(java.security.cert.X509Certificate[] chain, String type) {}

    @Override
    public void checkServerTrusted(java.security.cert.X509Certificate[] chain, String type) {}

    @Override
    public java.security.cert.X509Certificate[] getAcceptedIssuers() {
      return new java.security.cert.X509Certificate[0];
    }
  }
}

package io.strandline.tests.security;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.ClusterTopics;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.fault.Waiting;
import java.io.IOException;
import java.net.SocketTimeoutException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.cert.Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;
import org.apache.kafka.common.TopicPartition;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Nodes that show each other certificates, which are renewed in place while they run; then the old
 * ones are trusted no longer.
 */
@Timeout(value = 3, unit = TimeUnit.MINUTES)
class RenewedClusterTest {
  private static final Map<String, String> LOCAL = Map.of("remote.storage.enable", "false");

  @TempDir Path dir;
  private Path before;
  private Path after;
  private Path key;
  private Path trustsBoth;
  private Path trust;

  @BeforeEach
  void make() throws Exception {
    Certificates certificates = new Certificates(dir);
    before = certificates.make("before.p12", "node");
    after = certificates.make("after.p12", "node");
    key = Files.copy(before, dir.resolve("node.p12"));
    trustsBoth = certificates.trust("both.p12", before, after);
    trust = Files.copy(trustsBoth, dir.resolve("trust.p12"));
  }

  @Test
  void nodesConnectToEachOtherWithWhatWasRenewed() throws Exception {
    TopicPartition there = new TopicPartition("there", 0);
    TopicPartition later = new TopicPartition("later", 0);
    try (TestCluster cluster = start()) {
      ClusterTopics.create(cluster, there.topic(), Map.of(0, List.of(1, 2)), LOCAL);
      ClusterTopics.awaitInSync(cluster, there, Set.of(1, 2));
      List<String> inner =
          List.of(
              cluster.listener(1, "BROKERS"),
              cluster.listener(2, "BROKERS"),
              cluster.listener(1, "CONTROLLER"));

      Certificates.replace(key, after);
      Certificate renewed = Certificates.certificate(after);
      for (String at : inner) {
        Waiting.until("the new certificate at " + at, () -> shown(at).equals(renewed));
      }
      Certificates.replace(trust, new Certificates(dir).trust("after-trust.p12", after));
      for (String at : inner) {
        Waiting.until("the old one to be refused at " + at, () -> refuses(at, before));
      }

      cluster.node(1).stop(); // broker 2 has to connect anew, to the controller too
      cluster.node(1).startAgain();
      ClusterTopics.awaitInSync(cluster, there, Set.of(1, 2));
      ClusterTopics.create(cluster, later.topic(), Map.of(0, List.of(2, 1)), LOCAL);
      ClusterTopics.awaitLeader(cluster, later, Set.of(2));
      ClusterTopics.awaitInSync(cluster, later, Set.of(1, 2));
    }
  }

  private TestCluster start() throws IOException {
    Map<String, String> settings = new HashMap<>();
    settings.put(
        "listener.security.protocol.map", "BROKERS:SSL,CONTROLLER:SSL,PLAINTEXT:PLAINTEXT");
    settings.putAll(Certificates.keystore(key));
    settings.putAll(Certificates.truststore(trust));
    settings.put("ssl.client.auth", "required");
    settings.put("strandline.security.reload.ms", "50");
    return new Blueprint(dir)
        .with(NodeRole.COMBINED, 1)
        .with(NodeRole.BROKER, 2)
        .apart()
        .replicas(2, 1)
        .set(settings)
        .start();
  }

  private Certificate shown(String at) throws Exception {
    try (SSLSocket socket = connect(at, after)) {
      return socket.getSession().getPeerCertificates()[0];
    }
  }

  /** With TLS 1.3 who connects hears of it when he reads; who is let in hears nothing. */
  private boolean refuses(String at, Path own) throws Exception {
    try (SSLSocket socket = connect(at, own)) {
      socket.setSoTimeout(300);
      return socket.getInputStream().read() < 0;
    } catch (SocketTimeoutException letIn) {
      return false;
    } catch (SSLException refused) {
      return true;
    }
  }

  private SSLSocket connect(String at, Path own) throws GeneralSecurityException, IOException {
    KeyManagerFactory keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(Certificates.load(own), Certificates.PASSWORD.toCharArray());
    TrustManagerFactory managers =
        TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    managers.init(Certificates.load(trustsBoth));
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), managers.getTrustManagers(), null);
    String[] address = at.split(":", 2);
    SSLSocket socket =
        (SSLSocket)
            context.getSocketFactory().createSocket(address[0], Integer.parseInt(address[1]));
    socket.setSoTimeout(20_000);
    socket.startHandshake();
    return socket;
  }
}

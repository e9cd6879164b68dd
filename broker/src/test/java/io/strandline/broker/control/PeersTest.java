package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.strandline.broker.control.config.BrokerChanges;
import io.strandline.broker.control.config.EffectiveConfig;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.security.KeyStore;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.security.ssl.SslFactory;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** Connections to other brokers hear of changed certificates for as long as they live. */
class PeersTest {
  @Test
  void aClientThatIsClosedHearsOfNothingMore() {
    KafkaConfig config = encrypted(Map.of());
    try (Metrics metrics = new Metrics()) {
      Peers peers =
          new Peers(
              config,
              metrics,
              () -> {
                throw new IllegalStateException("nobody is asked");
              });
      NetworkClient first = peers.client("first");
      NetworkClient second = peers.client("second");
      assertThat(config.dynamicConfig().reconfigurables()).hasSize(2);
      first.close();
      assertThat(config.dynamicConfig().reconfigurables()).hasSize(1);
      second.close();
      assertThat(config.dynamicConfig().reconfigurables()).isEmpty();
    }
  }

  @Test
  void aClientMayBeginBeforeTheLastOfItsPurposeIsClosed() {
    try (Metrics metrics = new Metrics()) {
      Peers peers = new Peers(encrypted(Map.of()), metrics, () -> null);
      int before = metrics.metrics().size();
      NetworkClient first = peers.client("one");
      NetworkClient second = peers.client("one");
      first.close();
      assertThat(metrics.metrics()).hasSizeGreaterThan(before);
      second.close();
      assertThat(metrics.metrics()).hasSize(before);
    }
  }

  @Test
  void aReplacedFileIsReadAgainAndABadOneLeavesAllAsItWas(@TempDir Path dir) throws Exception {
    Path trust = dir.resolve("trust.p12");
    store(trust, 1);
    KafkaConfig config =
        encrypted(
            Map.of(
                "ssl.truststore.type",
                "PKCS12",
                "ssl.truststore.password",
                "secret",
                "ssl.truststore.location",
                trust.toString()));
    EffectiveConfig.ofFile(config);
    BrokerChanges changes = new BrokerChanges(config, resource -> new Properties());
    Logger kafka = (Logger) LoggerFactory.getLogger(SslFactory.class);
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    said.start();
    kafka.setLevel(Level.INFO);
    kafka.addAppender(said);
    try (Metrics metrics = new Metrics()) {
      Peers peers = new Peers(config, metrics, () -> null);
      NetworkClient client = peers.client("one");
      changes.reloadFiles();
      assertThat(said.list).isEmpty();
      store(trust, 2);
      changes.reloadFiles();
      assertThat(said.list).hasSize(1);
      Files.writeString(trust, "no store");
      Files.setLastModifiedTime(trust, FileTime.fromMillis(3_000));
      changes.reloadFiles();
      assertThat(said.list).hasSize(1);
      store(trust, 4);
      changes.reloadFiles();
      assertThat(said.list).hasSize(2);
      client.close();
    } finally {
      kafka.detachAppender(said);
      kafka.setLevel(null);
    }
  }

  private static void store(Path path, int second) throws Exception {
    KeyStore empty = KeyStore.getInstance("PKCS12");
    empty.load(null, null);
    try (OutputStream out = Files.newOutputStream(path)) {
      empty.store(out, "secret".toCharArray());
    }
    Files.setLastModifiedTime(path, FileTime.fromMillis(second * 1_000L));
  }

  /** Of a node whose connections to other brokers are encrypted. */
  private static KafkaConfig encrypted(Map<String, String> more) {
    Map<String, String> all = new HashMap<>(more);
    all.put("listeners", "SSL://:0");
    all.put("inter.broker.listener.name", "SSL");
    all.put("listener.security.protocol.map", "SSL:SSL,CONTROLLER:PLAINTEXT");
    return new ControlConfig(all).withControllerPort(1).parse();
  }
}

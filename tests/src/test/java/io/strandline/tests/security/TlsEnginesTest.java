package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.guard.identity.NodeSecurity;
import io.strandline.broker.guard.identity.ScramUsers;
import io.strandline.broker.guard.identity.TlsEngines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.time.InstantSource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.security.auth.SecurityProtocol;
import org.apache.kafka.common.security.ssl.DefaultSslEngineFactory;
import org.apache.kafka.common.security.ssl.SslFactory;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What a listener with TLS gives to who connects. */
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class TlsEnginesTest {
  @TempDir Path dir;

  /** Looks for changes as long as it is let. */
  public static final class Slow extends DefaultSslEngineFactory {
    private static final CountDownLatch LOOKS = new CountDownLatch(1);
    private static final CountDownLatch MAY_GO_ON = new CountDownLatch(1);

    @Override
    public boolean shouldBeRebuilt(Map<String, Object> next) {
      LOOKS.countDown();
      try {
        return MAY_GO_ON.await(1, TimeUnit.MINUTES) && super.shouldBeRebuilt(next);
      } catch (InterruptedException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  @Test
  void nobodyWaitsForAnEngineWhileCertificatesAreRead() throws Exception {
    Path key = new Certificates(dir).make("node.p12", "node");
    Map<String, String> settings = new HashMap<>(Certificates.keystore(key));
    settings.put("ssl.engine.factory.class", Slow.class.getName());
    try (NodeSecurity security = security(settings)) {
      CompletableFuture<Void> reading = CompletableFuture.runAsync(security::reload);
      try {
        assertThat(Slow.LOOKS.await(20, TimeUnit.SECONDS)).isTrue();
        CompletableFuture.supplyAsync(() -> tls(security).engine("127.0.0.1", 1))
            .get(20, TimeUnit.SECONDS);
        CompletableFuture.runAsync(security::reload).get(20, TimeUnit.SECONDS);
        assertThat(reading).isNotDone();
      } finally {
        Slow.MAY_GO_ON.countDown();
      }
      reading.get(20, TimeUnit.SECONDS);
    }
  }

  /** Its certificates come from elsewhere. */
  public static final class WithoutStores extends DefaultSslEngineFactory {
    @Override
    public @Nullable KeyStore keystore() {
      return null;
    }
  }

  @Test
  void anEngineFactoryOfTheUserNeedNotHaveAKeyStore() {
    try (NodeSecurity security =
        security(Map.of("ssl.engine.factory.class", WithoutStores.class.getName()))) {
      assertThat(tls(security).engine("127.0.0.1", 1).getUseClientMode()).isFalse();
      SimpleMeterRegistry meters = new SimpleMeterRegistry();
      security.bindTo(meters);
      assertThat(meters.get("strandline.listener.certificate.expires").gauge().value()).isZero();
    }
  }

  @Test
  void whatWasRefusedIsSeldomReadAgainUnlessItChanged() throws Exception {
    Certificates certificates = new Certificates(dir);
    Path key = Files.copy(certificates.make("before.p12", "node"), dir.resolve("node.p12"));
    Path renewed = certificates.make("renewed.p12", "node");
    Logger log = (Logger) LoggerFactory.getLogger(SslFactory.class);
    Level before = log.getLevel();
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    said.start();
    log.setLevel(Level.DEBUG);
    log.addAppender(said);
    try (NodeSecurity security = security(Certificates.keystore(key))) {
      Certificates.replace(key, Files.writeString(dir.resolve("garbage.p12"), "no key store"));
      reload(security, 10);
      assertThat(refusals(said)).isEqualTo(1);
      reload(security, 30);
      assertThat(refusals(said)).isEqualTo(2);
      Certificates.replace(key, certificates.make("other.p12", "somebody"));
      reload(security, 10);
      assertThat(refusals(said)).isEqualTo(3);
      Certificates.replace(key, renewed);
      reload(security, 1);
      assertThat(refusals(said)).isEqualTo(3);
      assertThat(said.list).anyMatch(line -> line.getMessage().startsWith("Created new"));
    } finally {
      log.detachAppender(said);
      log.setLevel(before);
    }
  }

  private static void reload(NodeSecurity security, int times) {
    for (int i = 0; i < times; i++) {
      security.reload();
    }
  }

  private static long refusals(ListAppender<ILoggingEvent> said) {
    return said.list.stream().filter(line -> line.getMessage().startsWith("Validation of")).count();
  }

  private static TlsEngines tls(NodeSecurity security) {
    return security.of("TLS").tls().orElseThrow();
  }

  private static NodeSecurity security(Map<String, String> settings) {
    Map<String, String> all = new HashMap<>(settings);
    all.put("listeners", "TLS://127.0.0.1:0,PLAIN://127.0.0.1:0,CONTROLLER://127.0.0.1:0");
    all.put("advertised.listeners", "TLS://127.0.0.1:1,PLAIN://127.0.0.1:2");
    all.put("inter.broker.listener.name", "PLAIN");
    all.put("listener.security.protocol.map", "TLS:SSL,PLAIN:PLAINTEXT,CONTROLLER:PLAINTEXT");
    var config = new ControlConfig(all).withControllerPort(1).parse();
    return new NodeSecurity(
        () -> config,
        List.of(new Endpoint("TLS", SecurityProtocol.SSL, "127.0.0.1", 1)),
        new ScramUsers(config),
        InstantSource.system());
  }
}

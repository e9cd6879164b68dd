package io.strandline.tests.security;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.quorum.RenewedEngines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slf4j.LoggerFactory;

/** What is put in the place of the controller's certificate. */
class RenewedEnginesTest {
  @TempDir Path dir;

  @Test
  void aCertificateOfAnotherNameIsToldOnceAndNotTaken() throws Exception {
    Certificates certificates = new Certificates(dir);
    Path key = Files.copy(certificates.make("before.p12", "node"), dir.resolve("node.p12"));
    Certificate before = Certificates.certificate(key);
    Path renewed = certificates.make("renewed.p12", "node");
    Logger log = (Logger) LoggerFactory.getLogger(RenewedEngines.class);
    ListAppender<ILoggingEvent> said = new ListAppender<>();
    said.start();
    log.addAppender(said);
    try (RenewedEngines engines = engines(key)) {
      assertThat(shown(engines)).isEqualTo(before);
      Certificates.replace(key, certificates.make("other.p12", "somebody"));
      assertThat(shown(engines)).isEqualTo(before);
      assertThat(shown(engines)).isEqualTo(before);
      assertThat(warnings(said)).singleElement().asString().contains("were refused");
      Certificates.replace(key, renewed);
      assertThat(shown(engines)).isEqualTo(Certificates.certificate(renewed));
      assertThat(warnings(said)).hasSize(1);
    } finally {
      log.detachAppender(said);
    }
  }

  private static RenewedEngines engines(Path key) {
    Map<String, String> settings = new HashMap<>(Certificates.keystore(key));
    settings.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:SSL");
    RenewedEngines engines = new RenewedEngines();
    engines.configure(new ControlConfig(settings).withControllerPort(1).parse().values());
    return engines;
  }

  /** To who connects now. */
  private static Certificate shown(RenewedEngines engines) throws Exception {
    assertThat(engines.createServerSslEngine("127.0.0.1", 1).getUseClientMode()).isFalse();
    KeyStore keys = engines.keystore();
    return keys.getCertificate(keys.aliases().nextElement());
  }

  private static List<String> warnings(ListAppender<ILoggingEvent> said) {
    return said.list.stream()
        .filter(line -> line.getLevel() == Level.WARN)
        .map(ILoggingEvent::getMessage)
        .toList();
  }
}

package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Map;
import java.util.stream.Collectors;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.Endpoint;
import org.junit.jupiter.api.Test;
import scala.jdk.javaapi.CollectionConverters;

/** What a node makes of listeners. */
class ControlConfigTest {
  private static Map<String, String> protocols(Map<String, String> given) {
    KafkaConfig parsed = new ControlConfig(given).withControllerPort(9095).parse();
    return CollectionConverters.asJava(parsed.listeners()).stream()
        .collect(Collectors.toMap(Endpoint::listener, each -> each.securityProtocol().name));
  }

  /** The controller's, on loopback, is the node's own affair. */
  @Test
  void aListenerForTlsNeedsNoWordOfTheControllers() {
    assertThat(
            protocols(
                Map.of(
                    "listeners", "PLAINTEXT://127.0.0.1:9092,SSL://127.0.0.1:9093",
                    "listener.name.ssl.ssl.keystore.location", "keys.p12")))
        .containsExactlyInAnyOrderEntriesOf(
            Map.of("PLAINTEXT", "PLAINTEXT", "SSL", "SSL", "CONTROLLER", "PLAINTEXT"));
  }

  @Test
  void oneOfAnotherNameNeedsItsProtocol() {
    Map<String, String> given = Map.of("listeners", "PUBLIC://127.0.0.1:9092");
    assertThatThrownBy(() -> new ControlConfig(given).parse())
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("No security protocol defined for listener PUBLIC");
  }
}

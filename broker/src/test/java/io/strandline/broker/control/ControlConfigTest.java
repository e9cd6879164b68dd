package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.HashMap;
import java.util.List;
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
  void namesOfListenersAreTheSameInAnyCase() {
    Map<String, String> given = new HashMap<>();
    given.put("process.roles", "broker");
    given.put("node.id", "2");
    given.put("controller.quorum.bootstrap.servers", "127.0.0.1:9093");
    given.put("listeners", "replay://127.0.0.1:9094");
    given.put("inter.broker.listener.name", "internal");
    given.put(
        "listener.security.protocol.map",
        "replay:PLAINTEXT,internal:PLAINTEXT,CONTROLLER:PLAINTEXT");
    ControlConfig replay = new ControlConfig(given, true);
    assertThat(CollectionConverters.asJava(replay.parse().listeners()))
        .extracting(Endpoint::listener)
        .containsExactly("REPLAY", "INTERNAL");
    assertThat(replay.serves("INTERNAL")).isFalse();
    assertThat(replay.serves("REPLAY")).isTrue();

    given.put("listeners", "REPLAY://127.0.0.1:9094,INTERNAL://127.0.0.1:9095");
    assertThatThrownBy(() -> new ControlConfig(given, true).parse())
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("is the other brokers'");

    assertThat(
            protocols(Map.of("listeners", "plaintext://127.0.0.1:9092,controller://127.0.0.1:0")))
        .containsOnlyKeys("PLAINTEXT", "CONTROLLER");
  }

  /** The controller's threads are its listener's affair; what the key says is the broker's. */
  @Test
  void theControllersListenerHasThreadsOfItsOwn() {
    assertThat(networkThreads(Map.of())).containsExactly(3, 1);
    assertThat(networkThreads(Map.of("num.network.threads", "5"))).containsExactly(5, 5);
    String own = "listener.name.controller.num.network.threads";
    assertThat(networkThreads(Map.of(own, "2"))).containsExactly(3, 2);
  }

  private static List<Object> networkThreads(Map<String, String> given) {
    KafkaConfig parsed = new ControlConfig(given).withControllerPort(9095).parse();
    String key = "num.network.threads";
    return List.of(
        parsed.getInt(key),
        parsed.valuesWithPrefixOverride("listener.name.controller.").getOrDefault(key, "none"));
  }

  @Test
  void oneOfAnotherNameNeedsItsProtocol() {
    Map<String, String> given = Map.of("listeners", "PUBLIC://127.0.0.1:9092");
    assertThatThrownBy(() -> new ControlConfig(given).parse())
        .isInstanceOf(ControlException.class)
        .hasMessageContaining("No security protocol defined for listener PUBLIC");
  }
}

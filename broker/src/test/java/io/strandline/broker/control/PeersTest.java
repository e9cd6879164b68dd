package io.strandline.broker.control;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Map;
import kafka.server.KafkaConfig;
import org.apache.kafka.clients.NetworkClient;
import org.apache.kafka.common.metrics.Metrics;
import org.junit.jupiter.api.Test;

/** Connections to other brokers hear of changed certificates for as long as they live. */
class PeersTest {
  @Test
  void aClientThatIsClosedHearsOfNothingMore() {
    KafkaConfig config =
        new ControlConfig(
                Map.of(
                    "listeners",
                    "SSL://:0",
                    "inter.broker.listener.name",
                    "SSL",
                    "listener.security.protocol.map",
                    "SSL:SSL,CONTROLLER:PLAINTEXT"))
            .withControllerPort(1)
            .parse();
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
}

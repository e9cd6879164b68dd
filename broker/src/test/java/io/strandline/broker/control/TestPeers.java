package io.strandline.broker.control;

import java.util.Map;
import kafka.server.KafkaConfig;
import org.apache.kafka.common.metrics.Metrics;

/** The way to other brokers of a cluster that has none. */
public final class TestPeers {
  private TestPeers() {}

  /**
   * @param view in which no broker is found
   */
  public static Peers none(ClusterView view, Metrics metrics) {
    return new Peers(config(), metrics, () -> view);
  }

  /** Kafka's defaults. */
  public static KafkaConfig config() {
    Map<String, String> config =
        Map.of(
            "listeners", "PLAINTEXT://:0",
            "inter.broker.listener.name", "PLAINTEXT",
            "listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    return new ControlConfig(config).withControllerPort(1).parse();
  }
}

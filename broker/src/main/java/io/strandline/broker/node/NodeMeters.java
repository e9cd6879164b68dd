package io.strandline.broker.node;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.observe.kafka.KafkaName;
import java.lang.management.ManagementFactory;
import java.util.Map;
import org.apache.kafka.common.utils.AppInfoParser;

/** What the node tells of itself as a whole under Kafka's names. */
public final class NodeMeters {
  private final KafkaMeters kafka;
  private volatile State state = State.NOT_RUNNING;

  /** Kafka's numbers for where a broker is. */
  public enum State {
    NOT_RUNNING(0),
    STARTING(1),
    RECOVERY(2),
    RUNNING(3),
    STOPPING(6);

    private final byte value;

    State(int value) {
      this.value = (byte) value;
    }
  }

  public NodeMeters(KafkaMeters kafka) {
    this.kafka = kafka;
    kafka.gauge(KafkaName.of("kafka.server", "KafkaServer", "BrokerState"), () -> state.value);
  }

  /** Where it is between start and stop. */
  public void state(State now) {
    state = now;
  }

  /** Names itself: the version is that of the protocol and of Kafka's classes inside. */
  public void identify(ClusterView view) {
    kafka.gauge(KafkaName.of("kafka.server", "KafkaServer", "ClusterId"), view::clusterId);
    kafka.group(
        KafkaName.of("kafka.server", "app-info", "").with("id", view.nodeId()),
        Map.of(
            "Version", AppInfoParser::getVersion,
            "CommitId", () -> "strandline",
            "StartTimeMs", () -> ManagementFactory.getRuntimeMXBean().getStartTime()));
  }
}

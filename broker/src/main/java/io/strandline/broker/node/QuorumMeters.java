package io.strandline.broker.node;

import com.yammer.metrics.core.Metric;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.quorum.QuorumStanding;
import java.util.function.Supplier;
import org.apache.kafka.server.metrics.KafkaYammerMetrics;

/** What a node tells of the metadata quorum and, if it is a controller, of the cluster. */
public final class QuorumMeters {
  private QuorumMeters() {}

  /**
   * Registers the gauges.
   *
   * @param controls whether this node is a controller: it counts what Kafka's controller counts
   */
  public static void register(
      MeterRegistry meters, Supplier<QuorumStanding> standing, boolean controls) {
    Gauge.builder("strandline.quorum.leader", () -> standing.get().leader()).register(meters);
    Gauge.builder("strandline.quorum.epoch", () -> standing.get().epoch()).register(meters);
    Gauge.builder("strandline.quorum.leads", () -> standing.get().leads() ? 1 : 0).register(meters);
    Gauge.builder("strandline.quorum.committed.offset", () -> standing.get().committedOffset())
        .register(meters);
    if (controls) {
      counted(meters, "strandline.controller.partitions.offline", "OfflinePartitionsCount");
      counted(meters, "strandline.controller.brokers.active", "ActiveBrokerCount");
      counted(meters, "strandline.controller.brokers.fenced", "FencedBrokerCount");
    }
  }

  private static void counted(MeterRegistry meters, String name, String kafkas) {
    Gauge.builder(name, () -> counted(kafkas)).register(meters);
  }

  /** What Kafka's controller in this process counts; 0 before it has begun. */
  private static Number counted(String name) {
    Metric metric =
        KafkaYammerMetrics.defaultRegistry()
            .allMetrics()
            .get(KafkaYammerMetrics.getMetricName("kafka.controller", "KafkaController", name));
    return metric instanceof com.yammer.metrics.core.Gauge<?> gauge
            && gauge.value() instanceof Number number
        ? number
        : 0;
  }
}

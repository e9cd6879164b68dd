package io.strandline.bench.load;

import java.util.Map;
import org.apache.kafka.common.Metric;
import org.apache.kafka.common.MetricName;

/** Requests that a client of Kafka's has sent: its {@code request-total}, over all its nodes. */
final class ClientRequests {
  private ClientRequests() {}

  static double of(Map<MetricName, ? extends Metric> metrics) {
    return metrics.entrySet().stream()
        .filter(e -> e.getKey().name().equals("request-total"))
        .filter(e -> e.getKey().group().matches("(producer|consumer)-metrics"))
        .mapToDouble(e -> (Double) e.getValue().metricValue())
        .sum();
  }
}

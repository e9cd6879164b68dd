package io.strandline.broker.replica.quota;

import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.metrics.stats.SimpleRate;
import org.apache.kafka.common.utils.Time;

/**
 * Bytes a second over the newest windows, counted by Kafka's own rate and told as {@code
 * kafka.server:type=LeaderReplication} or {@code FollowerReplication}, {@code byte-rate}.
 * Thread-safe.
 */
final class ByteRate {
  private final Sensor sensor;
  private final KafkaMetric rate;
  private final Time time;

  /**
   * @param name of the direction
   * @param windows {@code replication.quota.window.num}
   * @param windowSeconds {@code replication.quota.window.size.seconds}
   */
  ByteRate(String name, int windows, int windowSeconds, Metrics metrics, Time time) {
    this.time = time;
    this.sensor = metrics.sensor(name);
    var metric = metrics.metricName("byte-rate", name, "Bytes a second of throttled replicas");
    sensor.add(
        metric,
        new SimpleRate(),
        new MetricConfig().timeWindow(windowSeconds, TimeUnit.SECONDS).samples(windows));
    this.rate = metrics.metric(metric);
  }

  boolean exceeds(long bytesPerSecond) {
    return (double) rate.metricValue() > (double) bytesPerSecond;
  }

  void record(long bytes) {
    // A controller in this process sets a quota on the metric of this name, which is not ours.
    sensor.record((double) bytes, time.milliseconds(), false);
  }
}

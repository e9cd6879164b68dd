package io.strandline.broker.guard.quota;

import java.net.InetAddress;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricConfig;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.Quota;
import org.apache.kafka.common.metrics.QuotaViolationException;
import org.apache.kafka.common.metrics.Sensor;
import org.apache.kafka.common.metrics.stats.Avg;
import org.apache.kafka.common.metrics.stats.Rate;
import org.apache.kafka.network.ConnectionQuotaEntity;
import org.apache.kafka.network.SocketServer;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.quota.QuotaUtils;

/**
 * New connections counted by Kafka's sensors, which are seen under Kafka's names. Not safe for
 * several threads at once.
 */
final class ConnectionRates {
  private final ClientQuotaManagerConfig windows;
  private final Metrics metrics;
  private final long longestMs;

  ConnectionRates(ClientQuotaManagerConfig windows, Metrics metrics) {
    this.windows = windows;
    this.metrics = metrics;
    this.longestMs = TimeUnit.SECONDS.toMillis(windows.quotaWindowSizeSeconds());
  }

  /** Counts one; milliseconds for which it is too early, at most one sample of the window. */
  long count(ConnectionQuotaEntity of, int perSecond, long nowMs) {
    Sensor sensor = sensor(of, perSecond);
    try {
      sensor.record(1, nowMs);
      return 0;
    } catch (QuotaViolationException tooEarly) {
      return QuotaUtils.boundedThrottleTime(tooEarly, longestMs, nowMs);
    }
  }

  /** One that was counted did not come to be. */
  void takeBack(ConnectionQuotaEntity of, int perSecond, long nowMs) {
    sensor(of, perSecond).record(-1, nowMs, false);
  }

  /** A sensor that is there keeps what it has counted when its bound changes. */
  Sensor sensor(ConnectionQuotaEntity of, int perSecond) {
    MetricName name =
        metrics.metricName(
            of.metricName(),
            SocketServer.METRICS_GROUP,
            "Tracking rate of accepting new connections (per second)",
            of.metricTags());
    Sensor known = metrics.getSensor(of.sensorName());
    if (known == null) {
      Sensor made = metrics.sensor(of.sensorName(), config(perSecond), of.sensorExpiration());
      made.add(name, new Rate(), null);
      return made;
    }
    KafkaMetric metric = metrics.metric(name);
    if (metric != null && metric.config().quota().bound() != perSecond) {
      metric.config(config(perSecond));
    }
    return known;
  }

  private MetricConfig config(int perSecond) {
    return new MetricConfig()
        .timeWindow(windows.quotaWindowSizeSeconds(), TimeUnit.SECONDS)
        .samples(windows.numQuotaSamples())
        .quota(new Quota(perSecond, true));
  }

  /** Where it is told how long a listener's connections had to wait. */
  Sensor waits(String listener, String prefix) {
    Sensor sensor = metrics.sensor(prefix + "ConnectionRateThrottleTime-" + listener);
    sensor.add(
        metrics.metricName(
            prefix + "connection-accept-throttle-time",
            SocketServer.METRICS_GROUP,
            "Tracking average throttle-time, out of non-zero throttle times, per listener",
            Map.of("listener", listener)),
        new Avg());
    return sensor;
  }

  void remove(Sensor sensor) {
    metrics.removeSensor(sensor.name());
  }

  static ConnectionQuotaEntity of(InetAddress address) {
    return ConnectionQuotaEntity.ipQuotaEntity(address);
  }
}

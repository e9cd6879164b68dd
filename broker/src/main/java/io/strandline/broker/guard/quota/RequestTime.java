package io.strandline.broker.guard.quota;

import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import org.apache.kafka.common.MetricName;
import org.apache.kafka.common.internals.Plugin;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.metrics.QuotaViolationException;
import org.apache.kafka.common.utils.Time;
import org.apache.kafka.network.Session;
import org.apache.kafka.server.config.ClientQuotaManagerConfig;
import org.apache.kafka.server.quota.ClientQuotaCallback;
import org.apache.kafka.server.quota.ClientQuotaManager;
import org.apache.kafka.server.quota.QuotaType;
import org.apache.kafka.server.quota.QuotaUtils;

/**
 * The quota of time (KIP-124): per cent of one thread. No client waits longer than one sample of
 * the window, as it would have forgotten by then what for.
 */
final class RequestTime extends ClientQuotaManager {
  private static final double PERCENT_SECONDS_PER_NANO = 100.0 / TimeUnit.SECONDS.toNanos(1);

  private final Metrics registry;
  private final long longestMs;

  RequestTime(
      ClientQuotaManagerConfig windows,
      Metrics metrics,
      Time time,
      String threads,
      Optional<Plugin<ClientQuotaCallback>> custom) {
    super(windows, metrics, QuotaType.REQUEST, time, threads, custom);
    this.registry = metrics;
    this.longestMs = TimeUnit.SECONDS.toMillis(windows.quotaWindowSizeSeconds());
  }

  int charge(Session session, String clientId, long workNanos, long nowMs) {
    return maybeRecordAndGetThrottleTimeMs(
        session, clientId, workNanos * PERCENT_SECONDS_PER_NANO, nowMs);
  }

  @Override
  protected long throttleTime(QuotaViolationException violation, long nowMs) {
    return QuotaUtils.boundedThrottleTime(violation, longestMs, nowMs);
  }

  @Override
  protected MetricName clientQuotaMetricName(Map<String, String> tags) {
    return registry.metricName(
        "request-time",
        QuotaType.REQUEST.toString(),
        "Tracking request-time per user/client-id",
        tags);
  }
}

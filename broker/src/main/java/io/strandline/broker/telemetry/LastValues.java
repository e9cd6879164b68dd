package io.strandline.broker.telemetry;

import java.time.InstantSource;
import java.util.HashMap;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.server.telemetry.ClientTelemetryContext;
import org.apache.kafka.server.telemetry.ClientTelemetryExporter;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.shaded.com.google.protobuf.InvalidProtocolBufferException;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;

/**
 * What each client told in its last push, for Prometheus: a push has all metrics that a client is
 * asked for, and what is no longer in it, as of partitions that went to another consumer, is gone.
 * What a client counts since its last push is added up. Bounded: so many clients, {@link
 * #NAME_CHARS_MAX} characters of names and labels of each; what is beyond is left out. Histograms
 * are left out too: Kafka's clients have none. A client is forgotten three of its intervals after
 * its last push, a minute at least.
 */
final class LastValues implements ClientTelemetryExporter {
  static final int NAME_CHARS_MAX = 128 * 1024;

  private final int clientsMax;
  private final InstantSource clock;
  private final Map<Uuid, Client> clients = new LinkedHashMap<>(16, 0.75f, true);

  /** Values of one client by name and labels as Prometheus writes them. */
  private record Client(Map<Series, Double> values, long untilMs) {
    static final Client NEW = new Client(Map.of(), 0);
  }

  private record Series(String name, boolean counts, String labels) {}

  /** One push while it is read. */
  private static final class Push {
    private final Map<String, String> who;
    private final Map<Series, Double> before;
    private final Map<Series, Double> values = new HashMap<>();
    private int chars;

    /**
     * @param before what the push before this one told
     */
    Push(Map<String, String> who, Map<Series, Double> before) {
      this.who = who;
      this.before = before;
    }

    void add(Metric metric) {
      String name = Exposition.name(metric.getName());
      if (metric.hasGauge()) {
        metric.getGauge().getDataPointsList().forEach(p -> put(series(name, false, p), p, false));
      } else if (metric.hasSum()) {
        boolean counts = metric.getSum().getIsMonotonic();
        boolean delta =
            metric.getSum().getAggregationTemporality()
                == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
        String told = counts && !name.endsWith("_total") ? name + "_total" : name;
        metric.getSum().getDataPointsList().forEach(p -> put(series(told, counts, p), p, delta));
      }
    }

    private Series series(String name, boolean counts, NumberDataPoint point) {
      return new Series(name, counts, Exposition.labels(who, point));
    }

    private void put(Series series, NumberDataPoint point, boolean delta) {
      double value = point.hasAsInt() ? point.getAsInt() : point.getAsDouble();
      Double here = values.get(series);
      if (here == null) {
        int more = series.name.length() + series.labels.length();
        if (chars + more > NAME_CHARS_MAX) {
          return;
        }
        chars += more;
      }
      double since = here != null ? here : before.getOrDefault(series, 0.0);
      values.put(series, delta ? since + value : value);
    }
  }

  LastValues(int clientsMax, InstantSource clock) {
    this.clientsMax = clientsMax;
    this.clock = clock;
  }

  @Override
  public void exportMetrics(ClientTelemetryContext context, ClientTelemetryPayload payload) {
    MetricsData data;
    try {
      data = MetricsData.parseFrom(payload.data().duplicate());
    } catch (InvalidProtocolBufferException e) {
      throw new KafkaException("not the metrics of OpenTelemetry", e);
    }
    Map<String, String> who = new TreeMap<>();
    who.put("client_instance_id", payload.clientInstanceId().toString());
    if (context.authorizableRequestContext() instanceof RequestContext request) {
      who.put("client_id", String.valueOf(request.clientId()));
      who.put("user", request.principal().getName());
    }
    long untilMs = clock.millis() + ClientInstances.keptMs(context.pushIntervalMs());
    synchronized (this) {
      Client client = clients.getOrDefault(payload.clientInstanceId(), Client.NEW);
      Push push = new Push(who, client.values);
      data.getResourceMetricsList()
          .forEach(
              resource ->
                  resource
                      .getScopeMetricsList()
                      .forEach(scope -> scope.getMetricsList().forEach(push::add)));
      clients.put(payload.clientInstanceId(), new Client(push.values, untilMs));
      forget();
    }
  }

  private void forget() {
    long nowMs = clock.millis();
    Iterator<Client> eldest = clients.values().iterator();
    while (eldest.hasNext()) {
      if (eldest.next().untilMs >= nowMs && clients.size() <= clientsMax) {
        return;
      }
      eldest.remove();
    }
  }

  /** All of them in Prometheus' text format. */
  synchronized String page() {
    forget();
    Map<String, Map<Series, Double>> byName = new TreeMap<>();
    for (Client client : List.copyOf(clients.values())) {
      client.values.forEach(
          (series, value) ->
              byName.computeIfAbsent(series.name, n -> new LinkedHashMap<>()).put(series, value));
    }
    StringBuilder out = new StringBuilder();
    byName.forEach(
        (name, values) -> {
          boolean counts = values.keySet().iterator().next().counts;
          out.append("# TYPE ").append(name).append(counts ? " counter\n" : " gauge\n");
          values.forEach(
              (series, value) ->
                  out.append(name)
                      .append(series.labels)
                      .append(' ')
                      .append(Exposition.number(value))
                      .append('\n'));
        });
    return out.toString();
  }
}

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
 * The last value of each metric that each client told, for Prometheus. What a client counts since
 * its last push is added up. Bounded: so many clients, {@link #NAME_CHARS_MAX} characters of names
 * and labels of each; what is beyond is left out. Histograms are left out too: Kafka's clients have
 * none. A client is forgotten three of its intervals after its last push, a minute at least.
 */
final class LastValues implements ClientTelemetryExporter {
  static final int NAME_CHARS_MAX = 128 * 1024;

  private final int clientsMax;
  private final InstantSource clock;
  private final Map<Uuid, Client> clients = new LinkedHashMap<>(16, 0.75f, true);

  /** Values of one client by name and labels as Prometheus writes them. */
  private static final class Client {
    final Map<Series, Double> values = new HashMap<>();
    int chars;
    long untilMs;
  }

  private record Series(String name, boolean counts, String labels) {}

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
      Client client = clients.computeIfAbsent(payload.clientInstanceId(), id -> new Client());
      client.untilMs = untilMs;
      data.getResourceMetricsList()
          .forEach(
              resource ->
                  resource
                      .getScopeMetricsList()
                      .forEach(
                          scope ->
                              scope.getMetricsList().forEach(metric -> add(client, metric, who))));
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

  private static void add(Client client, Metric metric, Map<String, String> who) {
    if (metric.hasGauge()) {
      String name = Exposition.name(metric.getName());
      metric.getGauge().getDataPointsList().forEach(p -> set(client, name, p, who));
    } else if (metric.hasSum()) {
      boolean counts = metric.getSum().getIsMonotonic();
      boolean delta =
          metric.getSum().getAggregationTemporality()
              == AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA;
      String name = Exposition.name(metric.getName());
      String told = counts && !name.endsWith("_total") ? name + "_total" : name;
      for (NumberDataPoint point : metric.getSum().getDataPointsList()) {
        put(client, new Series(told, counts, Exposition.labels(who, point)), point, delta);
      }
    }
  }

  private static void set(
      Client client, String name, NumberDataPoint point, Map<String, String> who) {
    put(client, new Series(name, false, Exposition.labels(who, point)), point, false);
  }

  private static void put(Client client, Series series, NumberDataPoint point, boolean delta) {
    double value = point.hasAsInt() ? point.getAsInt() : point.getAsDouble();
    Double before = client.values.get(series);
    if (before == null) {
      int chars = series.name.length() + series.labels.length();
      if (client.chars + chars > NAME_CHARS_MAX) {
        return;
      }
      client.chars += chars;
    }
    client.values.put(series, delta && before != null ? before + value : value);
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

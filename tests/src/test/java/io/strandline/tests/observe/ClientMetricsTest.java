package io.strandline.tests.observe;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.ListConfigResourcesOptions;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.telemetry.ClientTelemetryExporter;
import org.apache.kafka.server.telemetry.ClientTelemetryExporterProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Clients' metrics (KIP-714): operators choose, Kafka's clients push, the node tells. */
@Timeout(120)
class ClientMetricsTest {
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final List<String> RECEIVED = new CopyOnWriteArrayList<>();

  /** A plug-in as an operator would name it in {@code metric.reporters}. */
  public static final class Plugin implements MetricsReporter, ClientTelemetryExporterProvider {
    @Override
    public ClientTelemetryExporter clientTelemetryExporter() {
      return (context, payload) ->
          RECEIVED.add(context.pushIntervalMs() + " " + payload.clientInstanceId());
    }

    @Override
    public void init(List<KafkaMetric> metrics) {}

    @Override
    public void metricChange(KafkaMetric metric) {}

    @Override
    public void metricRemoval(KafkaMetric metric) {}

    @Override
    public void close() {}

    @Override
    public void configure(Map<String, ?> configs) {}
  }

  @Test
  void whatIsAskedForIsTold(@TempDir Path dir) throws Exception {
    Map<String, String> settings =
        Map.of("strandline.telemetry.clients.max", "5", "metric.reporters", Plugin.class.getName());
    try (Watched node = new Watched(dir, settings);
        Admin admin = node.admin(Map.of("client.id", "quiet"))) {
      assertThat(node.get("/metrics/clients").body()).isEmpty();
      subscribe(admin, "some", "org.apache.kafka.", "100", "client_id=told-.*");
      Watched.await("the subscription", () -> names(admin).equals(List.of("some")));
      Map<String, String> pushing = Map.of("client.id", "told-1", "enable.metrics.push", "true");
      // Not before: who asks too early is told to ask again in five minutes.
      try (Admin told = node.admin(pushing)) {
        isTold(node, told);
      }
      assertThat(node.sum("strandline_telemetry_requests_total").orElseThrow()).isPositive();
      assertThatThrownBy(() -> subscribe(admin, "some", "*", "99", "client_id=.*"))
          .isInstanceOf(ExecutionException.class)
          .hasCauseInstanceOf(InvalidRequestException.class);
      subscribe(admin, "some", "", "", "");
      Watched.await("the subscription to be gone", () -> names(admin).isEmpty());
    }
  }

  @Test
  void whoPushesAsManyOthersOverOneConnectionPushesNobodyOut(@TempDir Path dir) throws Exception {
    try (Watched node = new Watched(dir, Map.of("strandline.telemetry.clients.max", "3"));
        Admin admin = node.admin(Map.of());
        RawTelemetry victim = new RawTelemetry(node.port());
        RawTelemetry crowd = new RawTelemetry(node.port())) {
      subscribe(admin, "all", "*", "60000", "client_id=raw");
      Watched.await("the subscription", () -> crowd.asked(Uuid.randomUuid()));
      Uuid quiet = Uuid.randomUuid();
      assertThat(victim.push(quiet)).isEqualTo(Errors.NONE);
      List<Errors> told = new ArrayList<>();
      for (int i = 0; i < 4; i++) {
        told.add(crowd.push(Uuid.randomUuid()));
      }
      Errors early = Errors.THROTTLING_QUOTA_EXCEEDED;
      assertThat(told).containsExactly(Errors.NONE, early, early, early);
      assertThat(node.get("/metrics/clients").body()).contains(quiet.toString());
    }
  }

  private static void isTold(Watched node, Admin told) throws Exception {
    Watched.await(
        "the client's metrics",
        () -> {
          told.describeCluster().nodes().get();
          return node.get("/metrics/clients").body().contains("client_id=\"told-1\"");
        });
    String page = node.get("/metrics/clients").body();
    assertThat(page).contains("# TYPE org_apache_kafka_", "user=\"ANONYMOUS\"");
    assertThat(page).contains("client_instance_id=\"" + told.clientInstanceId(SOON) + "\"");
    assertThat(page).doesNotContain("quiet");
    assertThat(RECEIVED).contains("100 " + told.clientInstanceId(SOON));
  }

  private static void subscribe(
      Admin admin, String name, String metrics, String intervalMs, String match) throws Exception {
    List<AlterConfigOp> ops = new ArrayList<>();
    Map.of("metrics", metrics, "interval.ms", intervalMs, "match", match)
        .forEach(
            (key, value) ->
                ops.add(
                    new AlterConfigOp(
                        new ConfigEntry(key, value),
                        value.isEmpty() ? AlterConfigOp.OpType.DELETE : AlterConfigOp.OpType.SET)));
    ConfigResource resource = new ConfigResource(ConfigResource.Type.CLIENT_METRICS, name);
    admin.incrementalAlterConfigs(Map.of(resource, ops)).all().get();
  }

  private static List<String> names(Admin admin) throws Exception {
    return admin
        .listConfigResources(
            Set.of(ConfigResource.Type.CLIENT_METRICS), new ListConfigResourcesOptions())
        .all()
        .get()
        .stream()
        .map(ConfigResource::name)
        .toList();
  }
}

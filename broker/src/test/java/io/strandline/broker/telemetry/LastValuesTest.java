package io.strandline.broker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.server.authorizer.AuthorizableRequestContext;
import org.apache.kafka.server.telemetry.ClientTelemetryContext;
import org.apache.kafka.server.telemetry.ClientTelemetryPayload;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.AnyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.common.v1.KeyValue;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.AggregationTemporality;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Gauge;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Sum;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class LastValuesTest {
  private static final Uuid ONE = new Uuid(0, 9);

  private final AtomicLong nowMs = new AtomicLong(1_000_000);
  private final LastValues values = new LastValues(2, () -> Instant.ofEpochMilli(nowMs.get()));

  private record Push(Uuid clientInstanceId, ByteBuffer data) implements ClientTelemetryPayload {
    @Override
    public boolean isTerminating() {
      return false;
    }

    @Override
    public String contentType() {
      return "OTLP";
    }
  }

  private record Context(
      int pushIntervalMs, @Nullable AuthorizableRequestContext authorizableRequestContext)
      implements ClientTelemetryContext {}

  private void push(Uuid who, Metric... metrics) {
    ScopeMetrics.Builder scope = ScopeMetrics.newBuilder();
    for (Metric metric : metrics) {
      scope.addMetrics(metric);
    }
    byte[] bytes =
        MetricsData.newBuilder()
            .addResourceMetrics(ResourceMetrics.newBuilder().addScopeMetrics(scope))
            .build()
            .toByteArray();
    values.exportMetrics(new Context(1000, null), new Push(who, ByteBuffer.wrap(bytes)));
  }

  private static NumberDataPoint.Builder point(String label, double value) {
    return NumberDataPoint.newBuilder()
        .setAsDouble(value)
        .addAttributes(
            KeyValue.newBuilder()
                .setKey("node-id")
                .setValue(AnyValue.newBuilder().setStringValue(label)));
  }

  private static Metric gauge(String name, String label, double value) {
    return Metric.newBuilder()
        .setName(name)
        .setGauge(Gauge.newBuilder().addDataPoints(point(label, value)))
        .build();
  }

  private static Metric sum(AggregationTemporality since, double value) {
    return Metric.newBuilder()
        .setName("a.sum")
        .setSum(
            Sum.newBuilder()
                .setIsMonotonic(true)
                .setAggregationTemporality(since)
                .addDataPoints(point("n", value)))
        .build();
  }

  @Test
  void theLastValueIsToldWithItsLabels() {
    push(ONE, gauge("a.b-c", "x\"y\\\n", 1));
    push(ONE, gauge("a.b-c", "x\"y\\\n", 2.5));
    assertThat(values.page())
        .isEqualTo(
            "# TYPE a_b_c gauge\na_b_c{client_instance_id=\""
                + ONE
                + "\",node_id=\"x\\\"y\\\\\\n\"} 2.5\n");
  }

  @Test
  void whatIsCountedSinceIsAddedUp() {
    push(ONE, sum(AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, 3));
    push(ONE, sum(AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, 4));
    assertThat(values.page()).contains("# TYPE a_sum_total counter").contains("} 7.0\n");
    push(ONE, sum(AggregationTemporality.AGGREGATION_TEMPORALITY_CUMULATIVE, 9));
    assertThat(values.page()).contains("} 9.0\n");
  }

  @Test
  void aClientThatPushesNoMoreIsForgotten() {
    push(ONE, gauge("a", "x", 1));
    nowMs.addAndGet(60_001);
    assertThat(values.page()).isEmpty();
  }

  @Test
  void neitherManyClientsNorManyNamesAreKept() {
    for (int i = 0; i < 5; i++) {
      push(new Uuid(1, i), gauge("a", "x", i));
    }
    assertThat(values.page()).contains(" 3.0\n", " 4.0\n").doesNotContain(" 2.0\n");
    Metric[] flood = new Metric[10_000];
    for (int i = 0; i < flood.length; i++) {
      flood[i] = gauge("flood." + "x".repeat(1000) + i, "l" + i, 1);
    }
    push(ONE, flood);
    assertThat(values.page()).contains("flood_");
    assertThat(values.page().length()).isLessThan(3 * LastValues.NAME_CHARS_MAX);
  }

  @Test
  void whatTheLastPushDoesNotHaveIsGone() {
    push(ONE, gauge("lag", "p0", 7), sum(AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, 3));
    push(ONE, gauge("lag", "p1", 8), sum(AggregationTemporality.AGGREGATION_TEMPORALITY_DELTA, 4));
    assertThat(values.page()).contains("p1", "} 7.0\n").doesNotContain("p0");
    for (int i = 0; i < 1000; i++) {
      push(ONE, gauge("lag", "p" + i + "x".repeat(200), i));
    }
    assertThat(values.page()).contains("p999x", "} 999.0\n").doesNotContain("p998x");
  }

  @Test
  void whatIsNoMetricIsRefused() {
    ByteBuffer noise = ByteBuffer.wrap(new byte[] {-1, -1, -1, -1, 3});
    assertThatThrownBy(() -> values.exportMetrics(new Context(1000, null), new Push(ONE, noise)))
        .isInstanceOf(KafkaException.class);
    assertThat(values.page()).isEmpty();
  }
}

package io.strandline.broker.telemetry;

import static org.assertj.core.api.Assertions.assertThat;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsRequestData;
import org.apache.kafka.common.message.PushTelemetryRequestData;
import org.apache.kafka.common.metrics.KafkaMetric;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsRequest;
import org.apache.kafka.common.requests.PushTelemetryRequest;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.server.telemetry.ClientTelemetryExporter;
import org.apache.kafka.server.telemetry.ClientTelemetryExporterProvider;
import org.junit.jupiter.api.Test;

class TelemetryTest {
  /** Made for another version of what it calls. */
  private static final class Unlinked implements MetricsReporter, ClientTelemetryExporterProvider {
    @Override
    public ClientTelemetryExporter clientTelemetryExporter() {
      return (who, payload) -> {
        throw new NoSuchMethodError("gone");
      };
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
  void whatAReceiverCannotTakeForWhateverReasonIsInvalid() {
    Telemetry telemetry =
        new Telemetry(
            List.of(new Unlinked()),
            new Telemetry.Limits(0, 1 << 20),
            new Telemetry.Surroundings(
                Runnable::run,
                () -> Instant.ofEpochMilli(1_000_000),
                () -> new Uuid(0, 100),
                new SimpleMeterRegistry()));
    RequestContext who = ClientInstancesTest.client("some", "c");
    var told =
        telemetry
            .ask(
                new GetTelemetrySubscriptionsRequest(
                    new GetTelemetrySubscriptionsRequestData().setClientInstanceId(Uuid.ZERO_UUID),
                    (short) 0),
                who)
            .data();
    var answer =
        telemetry.push(
            new PushTelemetryRequest(
                new PushTelemetryRequestData()
                    .setClientInstanceId(told.clientInstanceId())
                    .setSubscriptionId(told.subscriptionId())
                    .setMetrics(ByteBuffer.allocate(10)),
                (short) 0),
            who);
    assertThat(answer)
        .isCompletedWithValueMatching(
            response -> response.data().errorCode() == Errors.INVALID_RECORD.code());
  }
}

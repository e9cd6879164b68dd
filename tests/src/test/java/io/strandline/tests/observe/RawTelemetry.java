package io.strandline.tests.observe;

import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.Socket;
import java.nio.ByteBuffer;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsRequestData;
import org.apache.kafka.common.message.GetTelemetrySubscriptionsResponseData;
import org.apache.kafka.common.message.PushTelemetryRequestData;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsRequest;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsResponse;
import org.apache.kafka.common.requests.PushTelemetryRequest;
import org.apache.kafka.common.requests.PushTelemetryResponse;
import org.apache.kafka.common.requests.RequestHeader;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Gauge;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.Metric;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.MetricsData;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.NumberDataPoint;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ResourceMetrics;
import org.apache.kafka.shaded.io.opentelemetry.proto.metrics.v1.ScopeMetrics;

/** A connection that pushes metrics in whichever names it likes (KIP-714). */
final class RawTelemetry implements AutoCloseable {
  private final Socket socket;
  private int correlation;

  RawTelemetry(int port) throws IOException {
    socket = new Socket("127.0.0.1", port);
    socket.setSoTimeout(30_000);
  }

  /** Whether the client is asked for anything. */
  boolean asked(Uuid instance) throws IOException {
    return !subscription(instance).requestedMetrics().isEmpty();
  }

  /** Asks what to tell and tells it: one gauge. */
  Errors push(Uuid instance) throws IOException {
    PushTelemetryRequestData data =
        new PushTelemetryRequestData()
            .setClientInstanceId(instance)
            .setSubscriptionId(subscription(instance).subscriptionId())
            .setMetrics(ByteBuffer.wrap(gauge()));
    PushTelemetryRequest push = new PushTelemetryRequest.Builder(data).build((short) 0);
    return ((PushTelemetryResponse) ask(push)).error();
  }

  private GetTelemetrySubscriptionsResponseData subscription(Uuid instance) throws IOException {
    var data = new GetTelemetrySubscriptionsRequestData().setClientInstanceId(instance);
    var request = new GetTelemetrySubscriptionsRequest.Builder(data).build((short) 0);
    return ((GetTelemetrySubscriptionsResponse) ask(request)).data();
  }

  private static byte[] gauge() {
    Gauge value =
        Gauge.newBuilder().addDataPoints(NumberDataPoint.newBuilder().setAsInt(7)).build();
    Metric metric = Metric.newBuilder().setName("org.apache.kafka.raw").setGauge(value).build();
    return MetricsData.newBuilder()
        .addResourceMetrics(
            ResourceMetrics.newBuilder()
                .addScopeMetrics(ScopeMetrics.newBuilder().addMetrics(metric)))
        .build()
        .toByteArray();
  }

  private AbstractResponse ask(AbstractRequest request) throws IOException {
    RequestHeader header =
        new RequestHeader(request.apiKey(), request.version(), "raw", correlation++);
    ByteBuffer bytes = request.serializeWithHeader(header);
    DataOutputStream out = new DataOutputStream(socket.getOutputStream());
    out.writeInt(bytes.remaining());
    out.write(bytes.array(), bytes.position(), bytes.remaining());
    DataInputStream in = new DataInputStream(socket.getInputStream());
    byte[] answer = in.readNBytes(in.readInt());
    return AbstractResponse.parseResponse(ByteBuffer.wrap(answer), header);
  }

  @Override
  public void close() throws IOException {
    socket.close();
  }
}

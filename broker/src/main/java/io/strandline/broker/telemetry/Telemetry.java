package io.strandline.broker.telemetry;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.strandline.broker.control.ImageListener;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.Supplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.message.PushTelemetryResponseData;
import org.apache.kafka.common.metrics.MetricsReporter;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsRequest;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsResponse;
import org.apache.kafka.common.requests.PushTelemetryRequest;
import org.apache.kafka.common.requests.PushTelemetryResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.image.MetadataDelta;
import org.apache.kafka.image.MetadataImage;
import org.apache.kafka.server.metrics.ClientMetricsInstance;
import org.apache.kafka.server.metrics.ClientTelemetryExporterPlugin;
import org.apache.kafka.server.telemetry.ClientTelemetryExporterProvider;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Clients' metrics (KIP-714): clients ask what they shall tell, push it, and receivers get it: ours
 * ({@link TelemetryKeys#CLIENTS_MAX}) and those among {@code metric.reporters}. Any thread.
 */
public final class Telemetry implements ImageListener {
  private static final Logger LOG = LoggerFactory.getLogger(Telemetry.class);

  private final Subscriptions subscriptions = new Subscriptions();
  private final ClientTelemetryExporterPlugin receivers = new ClientTelemetryExporterPlugin();
  private final ClientInstances clients;
  private final Optional<LastValues> values;
  private final int bytesMax;
  private final Executor telling;
  private final Counter taken;
  private final Counter early;
  private final Counter failed;
  private final Counter refused;

  /**
   * @param clientsMax of how many clients the last values are kept, 0 for none
   * @param bytesMax of one push, compressed and not ({@code telemetry.max.bytes})
   */
  public record Limits(int clientsMax, int bytesMax) {}

  /**
   * @param telling calls receivers, which may be slow and take memory while they read: one thread
   * @param ids for clients that have none yet
   */
  public record Surroundings(
      Executor telling, InstantSource clock, Supplier<Uuid> ids, MeterRegistry meters) {}

  /**
   * @param reporters those that receive clients' metrics do so from now on
   */
  public Telemetry(List<MetricsReporter> reporters, Limits limits, Surroundings around) {
    this.bytesMax = limits.bytesMax;
    this.telling = around.telling;
    this.clients = new ClientInstances(subscriptions, bytesMax, around.clock, around.ids);
    this.values =
        limits.clientsMax == 0
            ? Optional.empty()
            : Optional.of(new LastValues(limits.clientsMax, around.clock));
    values.ifPresent(receivers::add);
    reporters.forEach(this::add);
    Gauge.builder("strandline.telemetry.clients", clients, ClientInstances::count)
        .register(around.meters);
    this.taken = counter(around.meters, "taken");
    this.early = counter(around.meters, "early");
    this.failed = counter(around.meters, "failed");
    this.refused = counter(around.meters, "refused");
  }

  private static Counter counter(MeterRegistry meters, String result) {
    return Counter.builder("strandline.telemetry.requests").tag("result", result).register(meters);
  }

  @SuppressWarnings({"deprecation", "removal"}) // Kafka still takes receivers of the older kind
  private void add(MetricsReporter reporter) {
    if (reporter instanceof ClientTelemetryExporterProvider provider) {
      receivers.add(provider.clientTelemetryExporter());
    } else if (reporter instanceof org.apache.kafka.server.telemetry.ClientTelemetry older) {
      receivers.add(older.clientReceiver());
    }
  }

  /** Whether anybody receives what clients would tell; else they are not asked. */
  public boolean wanted() {
    return !receivers.isEmpty();
  }

  /** What clients told last, in Prometheus' text format; empty when it is not kept. */
  public Optional<Supplier<String>> page() {
    return values.map(kept -> kept::page);
  }

  @Override
  public void onImage(MetadataDelta delta, MetadataImage image) {
    subscriptions.onImage(delta, image);
  }

  /** No more comes over that connection. */
  public void gone(String connectionId) {
    clients.gone(connectionId);
  }

  /** What the client shall tell. */
  public GetTelemetrySubscriptionsResponse ask(
      GetTelemetrySubscriptionsRequest request, RequestContext who) {
    try {
      return new GetTelemetrySubscriptionsResponse(
          clients.ask(request.data().clientInstanceId(), who));
    } catch (ApiException e) {
      count(Errors.forException(e));
      return request.getErrorResponse(0, e);
    }
  }

  /** Takes what a client tells; answered when all receivers have it. */
  public CompletionStage<PushTelemetryResponse> push(
      PushTelemetryRequest request, RequestContext who) {
    ClientMetricsInstance client;
    try {
      client = clients.admit(request.data(), who);
    } catch (ApiException e) {
      Errors error = Errors.forException(e);
      count(error);
      return CompletableFuture.completedFuture(request.errorResponse(0, error));
    }
    if (request.data().metrics() == null || !request.data().metrics().hasRemaining()) {
      return CompletableFuture.completedFuture(done(client, Errors.NONE));
    }
    return CompletableFuture.supplyAsync(() -> done(client, tell(client, request, who)), telling);
  }

  private Errors tell(
      ClientMetricsInstance client, PushTelemetryRequest request, RequestContext who) {
    try {
      receivers.exportMetrics(who, request, client.pushIntervalMs(), bytesMax);
      return Errors.NONE;
    } catch (RuntimeException | Error e) { // of a receiver that is the user's
      LOG.atDebug()
          .addKeyValue("client", who.connectionId)
          .setCause(e)
          .log("a client's metrics were not received");
      return Errors.INVALID_RECORD;
    }
  }

  private PushTelemetryResponse done(ClientMetricsInstance client, Errors error) {
    client.lastKnownError(error);
    count(error);
    return new PushTelemetryResponse(new PushTelemetryResponseData().setErrorCode(error.code()));
  }

  private void count(Errors error) {
    Counter counter =
        switch (error) {
          case NONE -> taken;
          case THROTTLING_QUOTA_EXCEEDED -> early;
          case INVALID_RECORD -> failed;
          default -> refused;
        };
    counter.increment();
  }
}

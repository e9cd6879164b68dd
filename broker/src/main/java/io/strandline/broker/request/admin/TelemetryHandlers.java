package io.strandline.broker.request.admin;

import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.telemetry.Telemetry;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.GetTelemetrySubscriptionsRequest;
import org.apache.kafka.common.requests.PushTelemetryRequest;

/** GetTelemetrySubscriptions and PushTelemetry: clients tell of themselves, if anybody wants it. */
public final class TelemetryHandlers {
  private final Telemetry telemetry;

  public TelemetryHandlers(Telemetry telemetry) {
    this.telemetry = telemetry;
  }

  /** Adds nothing when nobody receives it: a client that sees no such API does not ask. */
  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return telemetry.wanted()
        ? table
            .add(
                ApiKeys.GET_TELEMETRY_SUBSCRIPTIONS,
                (Handler<GetTelemetrySubscriptionsRequest>) this::ask)
            .add(ApiKeys.PUSH_TELEMETRY, (Handler<PushTelemetryRequest>) this::push)
        : table;
  }

  private CompletionStage<Reply> ask(Request<GetTelemetrySubscriptionsRequest> request) {
    return CompletableFuture.completedFuture(
        Reply.of(telemetry.ask(request.body(), request.context())));
  }

  private CompletionStage<Reply> push(Request<PushTelemetryRequest> request) {
    return telemetry.push(request.body(), request.context()).thenApply(Reply::of);
  }
}

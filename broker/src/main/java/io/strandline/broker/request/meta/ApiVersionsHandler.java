package io.strandline.broker.request.meta;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.Supplier;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersion;
import org.apache.kafka.common.message.ApiVersionsResponseData.ApiVersionCollection;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.ApiVersionsResponse;

/**
 * ApiVersions: what this broker serves, bounded by the table and, for what is forwarded, by the
 * controller. A version of the request itself that is unknown is answered in version 0 (KIP-511).
 */
public final class ApiVersionsHandler implements Handler<ApiVersionsRequest> {
  private final ControlPlane control;
  private final Supplier<ApiTable> table;

  /**
   * @param table asked per request, since this handler stands in it itself
   */
  public ApiVersionsHandler(ControlPlane control, Supplier<ApiTable> table) {
    this.control = control;
    this.table = table;
  }

  @Override
  public CompletionStage<Reply> handle(Request<ApiVersionsRequest> request) {
    ApiVersionsRequest asked = request.body();
    if (asked.hasUnsupportedRequestVersion()) {
      throw new UnsupportedVersionException("ApiVersions " + request.version());
    }
    if (!asked.isValid()) {
      throw new InvalidRequestException("client software name or version");
    }
    ApiTable served = table.get();
    ApiVersionsResponse answer = control.apiVersions(served.apis(), asked.version() < 4);
    answer.data().setApiKeys(within(served, answer.data().apiKeys()));
    return CompletableFuture.completedFuture(Reply.of(answer));
  }

  private static ApiVersionCollection within(ApiTable served, ApiVersionCollection known) {
    ApiVersionCollection both = new ApiVersionCollection(known.size());
    for (ApiVersion range : known) {
      ApiKeys api = ApiKeys.forId(range.apiKey());
      served
          .versions(api)
          .map(ours -> ours.setMinVersion(least(api, ours, range)))
          .map(ours -> ours.setMaxVersion((short) Math.min(ours.maxVersion(), range.maxVersion())))
          .filter(ours -> ours.minVersion() <= ours.maxVersion())
          .ifPresent(both::add);
    }
    return both;
  }

  /**
   * Where all old versions are served Kafka's word stands: it says 0 for Produce, though 3 is the
   * oldest there is, because librdkafka would not compress otherwise (KAFKA-18659).
   */
  private static short least(ApiKeys api, ApiVersion ours, ApiVersion range) {
    return ours.minVersion() == api.oldestVersion()
        ? range.minVersion()
        : (short) Math.max(ours.minVersion(), range.minVersion());
  }
}

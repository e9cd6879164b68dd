package io.strandline.broker.request.config;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.request.config.ChangeScreen.Change;
import io.strandline.broker.request.config.ChangeScreen.Operation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AlterConfigsRequest;
import org.apache.kafka.common.requests.AlterConfigsResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.IncrementalAlterConfigsRequest;
import org.apache.kafka.common.requests.IncrementalAlterConfigsResponse;

/**
 * IncrementalAlterConfigs (KIP-339) and AlterConfigs: what is this broker's is judged here, the
 * rest travels to the controller, and the client gets one answer of both.
 */
final class AlterConfigsHandlers {
  private final ControlPlane control;
  private final ChangeScreen screen;

  AlterConfigsHandlers(ControlPlane control, Guard guard, Loggers loggers) {
    this.control = control;
    this.screen = new ChangeScreen(control, guard, loggers);
  }

  void addTo(ApiTable.Builder table) {
    table
        .add(
            ApiKeys.INCREMENTAL_ALTER_CONFIGS,
            (Handler<IncrementalAlterConfigsRequest>) this::incremental)
        .add(ApiKeys.ALTER_CONFIGS, (Handler<AlterConfigsRequest>) this::legacy);
  }

  private CompletionStage<Reply> incremental(Request<IncrementalAlterConfigsRequest> request) {
    var asked = request.body().data();
    List<IncrementalAlterConfigsRequestData.AlterConfigsResource> resources =
        List.copyOf(asked.resources());
    List<Optional<ApiError>> answers =
        screen.screen(
            request.context(),
            resources.stream().map(AlterConfigsHandlers::change).toList(),
            asked.validateOnly());
    var rest = new IncrementalAlterConfigsRequestData().setValidateOnly(asked.validateOnly());
    for (int i = 0; i < resources.size(); i++) {
      if (answers.get(i).isEmpty()) {
        rest.resources().add(resources.get(i).duplicate());
      }
    }
    CompletableFuture<Map<ConfigResource, ApiError>> judged =
        rest.resources().isEmpty()
            ? CompletableFuture.completedFuture(Map.of())
            : control
                .forward(
                    request.context(), new IncrementalAlterConfigsRequest(rest, request.version()))
                .thenApply(answer -> ofController((IncrementalAlterConfigsResponse) answer));
    return Reply.forwarded(
        request,
        judged.thenApply(
            of -> {
              var all = new IncrementalAlterConfigsResponseData();
              for (int i = 0; i < resources.size(); i++) {
                var one = resources.get(i);
                ApiError error = error(answers.get(i), of, one.resourceType(), one.resourceName());
                all.responses()
                    .add(
                        new IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse()
                            .setResourceType(one.resourceType())
                            .setResourceName(one.resourceName())
                            .setErrorCode(error.error().code())
                            .setErrorMessage(error.message()));
              }
              return new IncrementalAlterConfigsResponse(all);
            }));
  }

  private CompletionStage<Reply> legacy(Request<AlterConfigsRequest> request) {
    var asked = request.body().data();
    List<AlterConfigsRequestData.AlterConfigsResource> resources = List.copyOf(asked.resources());
    List<Optional<ApiError>> answers =
        screen.screen(
            request.context(),
            resources.stream().map(AlterConfigsHandlers::change).toList(),
            asked.validateOnly());
    var rest = new AlterConfigsRequestData().setValidateOnly(asked.validateOnly());
    for (int i = 0; i < resources.size(); i++) {
      if (answers.get(i).isEmpty()) {
        rest.resources().add(resources.get(i).duplicate());
      }
    }
    CompletableFuture<Map<ConfigResource, ApiError>> judged =
        rest.resources().isEmpty()
            ? CompletableFuture.completedFuture(Map.of())
            : control
                .forward(request.context(), new AlterConfigsRequest(rest, request.version()))
                .thenApply(answer -> ((AlterConfigsResponse) answer).errors());
    return Reply.forwarded(
        request,
        judged.thenApply(
            of -> {
              var all = new AlterConfigsResponseData();
              for (int i = 0; i < resources.size(); i++) {
                var one = resources.get(i);
                ApiError error = error(answers.get(i), of, one.resourceType(), one.resourceName());
                all.responses()
                    .add(
                        new AlterConfigsResponseData.AlterConfigsResourceResponse()
                            .setResourceType(one.resourceType())
                            .setResourceName(one.resourceName())
                            .setErrorCode(error.error().code())
                            .setErrorMessage(error.message()));
              }
              return new AlterConfigsResponse(all);
            }));
  }

  private static Change change(IncrementalAlterConfigsRequestData.AlterConfigsResource sent) {
    List<Operation> operations = new ArrayList<>();
    sent.configs()
        .forEach(
            one -> operations.add(new Operation(one.configOperation(), one.name(), one.value())));
    return new Change(sent.resourceType(), sent.resourceName(), operations, false);
  }

  private static Change change(AlterConfigsRequestData.AlterConfigsResource sent) {
    List<Operation> operations = new ArrayList<>();
    sent.configs()
        .forEach(one -> operations.add(new Operation(OpType.SET.id(), one.name(), one.value())));
    return new Change(sent.resourceType(), sent.resourceName(), operations, true);
  }

  private static Map<ConfigResource, ApiError> ofController(
      IncrementalAlterConfigsResponse answer) {
    Map<ConfigResource, ApiError> errors = new HashMap<>();
    for (var one : answer.data().responses()) {
      errors.put(
          new ConfigResource(ConfigResource.Type.forId(one.resourceType()), one.resourceName()),
          new ApiError(one.errorCode(), one.errorMessage()));
    }
    return errors;
  }

  private static ApiError error(
      Optional<ApiError> own, Map<ConfigResource, ApiError> controller, byte type, String name) {
    return own.orElseGet(
        () ->
            controller.getOrDefault(
                new ConfigResource(ConfigResource.Type.forId(type), name),
                new ApiError(Errors.UNKNOWN_SERVER_ERROR, "the controller did not answer")));
  }
}

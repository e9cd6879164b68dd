package io.strandline.broker.request.config;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.request.config.ChangeScreen.Change;
import io.strandline.broker.request.config.ChangeScreen.Operation;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.BiFunction;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.apache.kafka.clients.admin.AlterConfigOp.OpType;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.AlterConfigsRequestData;
import org.apache.kafka.common.message.AlterConfigsResponseData;
import org.apache.kafka.common.message.IncrementalAlterConfigsRequestData;
import org.apache.kafka.common.message.IncrementalAlterConfigsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
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
  private static final ApiError UNANSWERED =
      new ApiError(Errors.UNKNOWN_SERVER_ERROR, "the controller did not answer");

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

  /**
   * What the two requests differ in.
   *
   * @param change a resource of theirs, as the screen reads it
   * @param rest the request for the controller, of those that are left
   * @param errors what the controller said
   * @param answer the whole answer, an error for each change
   */
  private record Form<T>(
      Function<T, Change> change,
      Function<List<T>, AbstractRequest> rest,
      Function<AbstractResponse, Map<ConfigResource, ApiError>> errors,
      BiFunction<List<Change>, List<ApiError>, AbstractResponse> answer) {}

  private CompletionStage<Reply> incremental(Request<IncrementalAlterConfigsRequest> request) {
    var asked = request.body().data();
    var form =
        new Form<IncrementalAlterConfigsRequestData.AlterConfigsResource>(
            AlterConfigsHandlers::change,
            left -> {
              var rest =
                  new IncrementalAlterConfigsRequestData().setValidateOnly(asked.validateOnly());
              left.forEach(one -> rest.resources().add(one.duplicate()));
              return new IncrementalAlterConfigsRequest(rest, request.version());
            },
            said ->
                IncrementalAlterConfigsResponse.fromResponseData(
                    ((IncrementalAlterConfigsResponse) said).data()),
            AlterConfigsHandlers::incrementalAnswer);
    return answered(request, asked.validateOnly(), List.copyOf(asked.resources()), form);
  }

  private CompletionStage<Reply> legacy(Request<AlterConfigsRequest> request) {
    var asked = request.body().data();
    var form =
        new Form<AlterConfigsRequestData.AlterConfigsResource>(
            AlterConfigsHandlers::change,
            left -> {
              var rest = new AlterConfigsRequestData().setValidateOnly(asked.validateOnly());
              left.forEach(one -> rest.resources().add(one.duplicate()));
              return new AlterConfigsRequest(rest, request.version());
            },
            said -> ((AlterConfigsResponse) said).errors(),
            AlterConfigsHandlers::legacyAnswer);
    return answered(request, asked.validateOnly(), List.copyOf(asked.resources()), form);
  }

  private <T> CompletionStage<Reply> answered(
      Request<? extends AbstractRequest> request,
      boolean validateOnly,
      List<T> resources,
      Form<T> form) {
    List<Change> changes = resources.stream().map(form.change()).toList();
    List<Optional<ApiError>> own = screen.screen(request.context(), changes, validateOnly);
    List<T> left = new ArrayList<>();
    for (int i = 0; i < resources.size(); i++) {
      if (own.get(i).isEmpty()) {
        left.add(resources.get(i));
      }
    }
    CompletableFuture<Map<ConfigResource, ApiError>> controllers =
        left.isEmpty()
            ? CompletableFuture.completedFuture(Map.of())
            : control
                .forward(request.context(), form.rest().apply(left))
                .thenApply(form.errors())
                .exceptionally(failure -> unanswered(left, form, failure));
    return Reply.forwarded(
        request,
        controllers.thenApply(
            said -> {
              List<ApiError> all = new ArrayList<>();
              for (int i = 0; i < changes.size(); i++) {
                ConfigResource resource = changes.get(i).resource();
                all.add(own.get(i).orElseGet(() -> said.getOrDefault(resource, UNANSWERED)));
              }
              return form.answer().apply(changes, all);
            }));
  }

  /**
   * What failed on the way to the controller, for those that travelled and for no others.
   *
   * @throws UnsupportedVersionException as it came: {@link Reply#forwarded} ends the connection
   */
  private static <T> Map<ConfigResource, ApiError> unanswered(
      List<T> left, Form<T> form, Throwable failure) {
    Throwable cause = Dispatcher.cause(failure);
    if (cause instanceof UnsupportedVersionException changed) {
      throw changed;
    }
    ApiError error = ApiError.fromThrowable(cause);
    return left.stream()
        .collect(Collectors.toMap(one -> form.change().apply(one).resource(), one -> error));
  }

  private static AbstractResponse incrementalAnswer(List<Change> changes, List<ApiError> errors) {
    var all = new IncrementalAlterConfigsResponseData();
    for (int i = 0; i < changes.size(); i++) {
      all.responses()
          .add(
              new IncrementalAlterConfigsResponseData.AlterConfigsResourceResponse()
                  .setResourceType(changes.get(i).type())
                  .setResourceName(changes.get(i).name())
                  .setErrorCode(errors.get(i).error().code())
                  .setErrorMessage(errors.get(i).message()));
    }
    return new IncrementalAlterConfigsResponse(all);
  }

  private static AbstractResponse legacyAnswer(List<Change> changes, List<ApiError> errors) {
    var all = new AlterConfigsResponseData();
    for (int i = 0; i < changes.size(); i++) {
      all.responses()
          .add(
              new AlterConfigsResponseData.AlterConfigsResourceResponse()
                  .setResourceType(changes.get(i).type())
                  .setResourceName(changes.get(i).name())
                  .setErrorCode(errors.get(i).error().code())
                  .setErrorMessage(errors.get(i).message()));
    }
    return new AlterConfigsResponse(all);
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
}

package io.strandline.broker.request.config;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.message.DescribeConfigsRequestData;
import org.apache.kafka.common.message.DescribeConfigsRequestData.DescribeConfigsResource;
import org.apache.kafka.common.message.DescribeConfigsResponseData;
import org.apache.kafka.common.message.DescribeConfigsResponseData.DescribeConfigsResult;
import org.apache.kafka.common.message.ListConfigResourcesResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.DescribeConfigsRequest;
import org.apache.kafka.common.requests.DescribeConfigsResponse;
import org.apache.kafka.common.requests.ListConfigResourcesRequest;
import org.apache.kafka.common.requests.ListConfigResourcesResponse;

/** DescribeConfigs and ListConfigResources, read from the view; and the requests to change them. */
public final class ConfigHandlers {
  private final ControlPlane control;
  private final Guard guard;
  private final Loggers loggers;

  public ConfigHandlers(ControlPlane control, Guard guard) {
    this.control = control;
    this.guard = guard;
    this.loggers = new Loggers(control.kafkaConfig().nodeId());
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    new AlterConfigsHandlers(control, guard, loggers).addTo(table);
    return table
        .add(ApiKeys.DESCRIBE_CONFIGS, (Handler<DescribeConfigsRequest>) this::configs)
        .add(ApiKeys.LIST_CONFIG_RESOURCES, (Handler<ListConfigResourcesRequest>) this::resources);
  }

  private CompletionStage<Reply> configs(Request<DescribeConfigsRequest> request) {
    ClusterView view = control.view();
    var asked = request.body().data();
    DescribeConfigsResponseData answer = new DescribeConfigsResponseData();
    for (DescribeConfigsResource resource : asked.resources()) {
      Errors denied = denied(request, resource);
      answer
          .results()
          .add(
              denied == Errors.NONE
                  ? describe(view, asked, resource)
                  : new DescribeConfigsResult()
                      .setErrorCode(denied.code())
                      .setErrorMessage(denied.message())
                      .setResourceType(resource.resourceType())
                      .setResourceName(resource.resourceName()));
    }
    return reply(new DescribeConfigsResponse(answer));
  }

  private DescribeConfigsResult describe(
      ClusterView view, DescribeConfigsRequestData asked, DescribeConfigsResource resource) {
    if (resource.resourceType() != ConfigResource.Type.BROKER_LOGGER.id()) {
      return view.describeConfigs(resource, asked.includeSynonyms(), asked.includeDocumentation());
    }
    try {
      return loggers.describe(resource);
    } catch (RuntimeException refusal) {
      ApiError error = ApiError.fromThrowable(refusal);
      return new DescribeConfigsResult()
          .setErrorCode(error.error().code())
          .setErrorMessage(error.message())
          .setResourceType(resource.resourceType())
          .setResourceName(resource.resourceName());
    }
  }

  private Errors denied(Request<?> request, DescribeConfigsResource resource) {
    AclOperation operation = AclOperation.DESCRIBE_CONFIGS;
    return switch (ConfigResource.Type.forId(resource.resourceType())) {
      case TOPIC ->
          guard.allowsTopic(request.context(), operation, resource.resourceName())
              ? Errors.NONE
              : Errors.TOPIC_AUTHORIZATION_FAILED;
      case GROUP ->
          guard.allowsGroup(request.context(), operation, resource.resourceName())
              ? Errors.NONE
              : Errors.GROUP_AUTHORIZATION_FAILED;
      default ->
          guard.allowsCluster(request.context(), operation)
              ? Errors.NONE
              : Errors.CLUSTER_AUTHORIZATION_FAILED;
    };
  }

  private CompletionStage<Reply> resources(Request<ListConfigResourcesRequest> request) {
    guard.requireCluster(request.context(), AclOperation.DESCRIBE_CONFIGS);
    Set<Byte> supported = request.body().supportedResourceTypes();
    List<Byte> wanted = request.body().data().resourceTypes();
    ListConfigResourcesResponseData answer = new ListConfigResourcesResponseData();
    if (!supported.containsAll(wanted)) {
      return reply(
          new ListConfigResourcesResponse(answer.setErrorCode(Errors.UNSUPPORTED_VERSION.code())));
    }
    ClusterView view = control.view();
    for (byte type : wanted.isEmpty() ? supported : new HashSet<>(wanted)) {
      for (String name : named(view, request.listener().value(), type)) {
        answer
            .configResources()
            .add(
                new ListConfigResourcesResponseData.ConfigResource()
                    .setResourceType(type)
                    .setResourceName(name));
      }
    }
    return reply(new ListConfigResourcesResponse(answer));
  }

  private static Iterable<String> named(ClusterView view, String listener, byte type) {
    return switch (ConfigResource.Type.forId(type)) {
      case TOPIC -> view.topics();
      case BROKER, BROKER_LOGGER ->
          view.brokersWithFenced(listener).stream().map(Node::idString).toList();
      default -> view.configuredResources(type);
    };
  }

  private static CompletionStage<Reply> reply(AbstractResponse answer) {
    return CompletableFuture.completedFuture(Reply.of(answer));
  }
}

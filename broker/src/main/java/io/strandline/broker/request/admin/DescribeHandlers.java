package io.strandline.broker.request.admin;

import io.strandline.broker.control.ClusterView;
import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.clients.admin.EndpointType;
import org.apache.kafka.common.Node;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.DescribeClusterResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.DescribeClientQuotasRequest;
import org.apache.kafka.common.requests.DescribeClientQuotasResponse;
import org.apache.kafka.common.requests.DescribeClusterRequest;
import org.apache.kafka.common.requests.DescribeClusterResponse;

/** DescribeCluster and DescribeClientQuotas: read from the view alone. */
public final class DescribeHandlers {
  private final ControlPlane control;
  private final Guard guard;

  public DescribeHandlers(ControlPlane control, Guard guard) {
    this.control = control;
    this.guard = guard;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.DESCRIBE_CLUSTER, (Handler<DescribeClusterRequest>) this::cluster)
        .add(ApiKeys.DESCRIBE_CLIENT_QUOTAS, (Handler<DescribeClientQuotasRequest>) this::quotas);
  }

  private CompletionStage<Reply> cluster(Request<DescribeClusterRequest> request) {
    var asked = request.body().data();
    if (asked.endpointType() != EndpointType.BROKER.id()) {
      return reply(
          new DescribeClusterResponse(wrongEndpoint(asked.endpointType(), request.version())));
    }
    ClusterView view = control.view();
    String listener = request.listener().value();
    List<Node> nodes =
        asked.includeFencedBrokers() ? view.brokersWithFenced(listener) : view.brokers(listener);
    DescribeClusterResponseData answer =
        new DescribeClusterResponseData()
            .setClusterId(view.clusterId())
            .setControllerId(view.controllerForClients(request.listener().value()));
    for (Node node : nodes) {
      answer
          .brokers()
          .add(
              new DescribeClusterResponseData.DescribeClusterBroker()
                  .setBrokerId(node.id())
                  .setHost(node.host())
                  .setPort(node.port())
                  .setRack(node.rack())
                  .setIsFenced(view.fenced(node.id())));
    }
    if (asked.includeClusterAuthorizedOperations()) {
      answer.setClusterAuthorizedOperations(guard.clusterOperations(request.context()));
    }
    return reply(new DescribeClusterResponse(answer));
  }

  private static DescribeClusterResponseData wrongEndpoint(byte asked, short version) {
    boolean known = EndpointType.fromId(asked) != EndpointType.UNKNOWN;
    Errors error = known ? Errors.MISMATCHED_ENDPOINT_TYPE : Errors.UNSUPPORTED_ENDPOINT_TYPE;
    return new DescribeClusterResponseData()
        .setErrorCode((version == 0 ? Errors.INVALID_REQUEST : error).code())
        .setErrorMessage(
            known
                ? "The request was sent to an endpoint of type BROKER"
                : "Unsupported endpoint type " + asked);
  }

  private CompletionStage<Reply> quotas(Request<DescribeClientQuotasRequest> request) {
    guard.requireCluster(request.context(), AclOperation.DESCRIBE_CONFIGS);
    return reply(
        new DescribeClientQuotasResponse(
            control.view().describeClientQuotas(request.body().data())));
  }

  private static CompletionStage<Reply> reply(
      org.apache.kafka.common.requests.AbstractResponse answer) {
    return CompletableFuture.completedFuture(Reply.of(answer));
  }
}

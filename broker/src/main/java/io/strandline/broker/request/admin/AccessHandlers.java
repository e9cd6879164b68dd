package io.strandline.broker.request.admin;

import io.strandline.broker.control.ControlPlane;
import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.message.DescribeAclsResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.DescribeAclsRequest;
import org.apache.kafka.common.requests.DescribeAclsResponse;
import org.apache.kafka.common.requests.DescribeUserScramCredentialsRequest;
import org.apache.kafka.common.requests.DescribeUserScramCredentialsResponse;

/** DescribeAcls and DescribeUserScramCredentials; what changes them is forwarded. */
public final class AccessHandlers {
  private final ControlPlane control;
  private final Guard guard;

  public AccessHandlers(ControlPlane control, Guard guard) {
    this.control = control;
    this.guard = guard;
  }

  public ApiTable.Builder addTo(ApiTable.Builder table) {
    return table
        .add(ApiKeys.DESCRIBE_ACLS, (Handler<DescribeAclsRequest>) this::acls)
        .add(
            ApiKeys.DESCRIBE_USER_SCRAM_CREDENTIALS,
            (Handler<DescribeUserScramCredentialsRequest>) this::users);
  }

  private CompletionStage<Reply> acls(Request<DescribeAclsRequest> request) {
    requireDescribe(request);
    var found = guard.rules(request.body().filter());
    return CompletableFuture.completedFuture(
        Reply.of(
            new DescribeAclsResponse(
                new DescribeAclsResponseData()
                    .setResources(DescribeAclsResponse.aclsResources(found)),
                request.version())));
  }

  private CompletionStage<Reply> users(Request<DescribeUserScramCredentialsRequest> request) {
    requireDescribe(request);
    return CompletableFuture.completedFuture(
        Reply.of(
            new DescribeUserScramCredentialsResponse(
                control.view().describeScramCredentials(request.body().data()))));
  }

  private void requireDescribe(Request<?> request) {
    guard.requireCluster(request.context(), AclOperation.DESCRIBE);
  }
}

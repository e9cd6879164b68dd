package io.strandline.broker.control;

import io.strandline.broker.control.quorum.HeardChannel;
import io.strandline.broker.control.quorum.SteadyTime;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.clients.ClientResponse;
import org.apache.kafka.clients.NodeApiVersions;
import org.apache.kafka.common.errors.TimeoutException;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.EnvelopeResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.common.utils.Utils;
import org.apache.kafka.raft.RaftManager;
import org.apache.kafka.server.ForwardingManagerUtil;
import org.apache.kafka.server.NodeToControllerChannelManagerImpl;
import org.apache.kafka.server.RaftControllerNodeProvider;
import org.apache.kafka.server.common.ApiMessageAndVersion;
import org.apache.kafka.server.common.ControllerRequestCompletionHandler;
import org.apache.kafka.server.common.NodeToControllerChannelManager;
import org.apache.kafka.server.config.AbstractKafkaConfig;

/**
 * The connections of this node to the active controller, one for each kind of request so that none
 * waits behind another. They follow the controller when it moves. A client's request travels in an
 * envelope that names the client (KIP-590).
 */
final class Channels implements AutoCloseable {
  /** Whose failure it is that whoever asked is told of: never his own. */
  static final String NOT_LOGGED_IN = "this broker can not log in to the controller";

  private static final long RETRY_MS = 60_000;

  private final HeardChannel heartbeats;
  private final NodeToControllerChannelManager requests;
  private final NodeToControllerChannelManager assignments;
  private final NodeToControllerChannelManager isr;

  Channels(RaftManager<ApiMessageAndVersion> raft, AbstractKafkaConfig config, Metrics metrics) {
    var controllers = RaftControllerNodeProvider.create(raft, config);
    String threads = "broker-" + config.nodeId() + "-";
    heartbeats =
        new HeardChannel(
            new NodeToControllerChannelManagerImpl(
                controllers,
                SteadyTime.STEADY,
                metrics,
                config,
                "heartbeat",
                threads,
                (long) config.brokerHeartbeatIntervalMs()),
            SteadyTime.STEADY);
    requests =
        new NodeToControllerChannelManagerImpl(
            controllers, SteadyTime.STEADY, metrics, config, "forwarding", threads, RETRY_MS);
    assignments =
        new NodeToControllerChannelManagerImpl(
            controllers,
            SteadyTime.STEADY,
            metrics,
            config,
            "directory-assignments",
            threads,
            RETRY_MS);
    isr =
        new NodeToControllerChannelManagerImpl(
            controllers,
            SteadyTime.STEADY,
            metrics,
            config,
            "alter-partition",
            threads,
            Long.MAX_VALUE);
    requests.start();
  }

  /** For registration and heartbeats; started by their owner. */
  HeardChannel heartbeats() {
    return heartbeats;
  }

  /** For clients' requests and this node's own. */
  NodeToControllerChannelManager requests() {
    return requests;
  }

  /** For the assignment of replicas to directories; started by its owner. */
  NodeToControllerChannelManager assignments() {
    return assignments;
  }

  /** For changes of the ISR; started by its owner. */
  NodeToControllerChannelManager isr() {
    return isr;
  }

  /** Versions the active controller speaks; empty until it was first reached. */
  Optional<NodeApiVersions> controllerVersions() {
    return requests.controllerApiVersions();
  }

  /**
   * Sends one request. Fails with TimeoutException when no controller answered in time, with
   * UnsupportedVersionException when it does not know it, and with UnknownServerException when this
   * node could not log in there: whoever asks a node that is not set up right has not failed to say
   * who he is himself. Kafka logs what was wrong.
   */
  CompletableFuture<AbstractResponse> send(AbstractRequest.Builder<?> request) {
    CompletableFuture<AbstractResponse> answer = new CompletableFuture<>();
    requests.sendRequest(
        request,
        new ControllerRequestCompletionHandler() {
          @Override
          public void onTimeout() {
            answer.completeExceptionally(
                new TimeoutException("no controller answered within " + RETRY_MS + " ms"));
          }

          @Override
          public void onComplete(ClientResponse response) {
            settle(answer, response);
          }
        });
    return answer;
  }

  static void settle(CompletableFuture<AbstractResponse> answer, ClientResponse response) {
    if (response.authenticationException() != null) {
      answer.completeExceptionally(
          new UnknownServerException(NOT_LOGGED_IN, response.authenticationException()));
    } else if (response.versionMismatch() != null) {
      answer.completeExceptionally(response.versionMismatch());
    } else if (!response.hasResponse()) {
      answer.completeExceptionally(new TimeoutException("the controller went away"));
    } else {
      answer.complete(response.responseBody());
    }
  }

  /** See {@link ControlPlane#forward(RequestContext, ByteBuffer)}. */
  CompletableFuture<AbstractResponse> forward(RequestContext context, ByteBuffer wholeRequest) {
    ByteBuffer copy = ByteBuffer.allocate(wholeRequest.remaining());
    copy.put(wholeRequest.duplicate()).flip();
    return envelope(context, copy);
  }

  /** See {@link ControlPlane#forward(RequestContext, AbstractRequest)}. */
  CompletableFuture<AbstractResponse> forward(RequestContext context, AbstractRequest rewritten) {
    return envelope(context, rewritten.serializeWithHeader(context.header));
  }

  private CompletableFuture<AbstractResponse> envelope(RequestContext context, ByteBuffer request) {
    return send(ForwardingManagerUtil.buildEnvelopeRequest(context, request))
        .thenApply(response -> open(context, (EnvelopeResponse) response));
  }

  private static AbstractResponse open(RequestContext context, EnvelopeResponse envelope) {
    Errors error = envelope.error();
    if (error == Errors.UNSUPPORTED_VERSION) {
      throw new UnsupportedVersionException(
          "the controller does not know " + context.header.apiKey() + " in this version");
    }
    if (error != Errors.NONE) {
      // The envelope itself was refused: a fault of this cluster's set-up, not of the client.
      throw Errors.UNKNOWN_SERVER_ERROR.exception(
          "the controller refused the envelope: " + error.message());
    }
    return AbstractResponse.parseResponse(envelope.responseData(), context.header);
  }

  @Override
  public void close() {
    Utils.closeQuietly(requests::shutdown, "channel of requests to the controller");
  }
}

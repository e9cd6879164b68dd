package io.strandline.broker.control;

import io.strandline.broker.control.config.BrokerChanges;
import io.strandline.broker.control.isr.IsrChange;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.function.Predicate;
import org.apache.kafka.common.Endpoint;
import org.apache.kafka.common.TopicIdPartition;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.CreateTopicsRequestData.CreatableTopic;
import org.apache.kafka.common.metrics.Metrics;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.ApiError;
import org.apache.kafka.common.requests.ApiVersionsResponse;
import org.apache.kafka.common.requests.RequestContext;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.jspecify.annotations.Nullable;

/**
 * This node's part in the cluster: what it knows of it ({@link #view()}), what it asks of the
 * controller, and its own registration.
 *
 * <p>Order of a start: open the control plane, await {@link #loaded()}, open the logs with the
 * topic configs of the view, bind the listeners, {@link #register}, {@link #listen}, await {@link
 * #caughtUp()}, {@link #readyToServe()}. Order of a stop: {@link #controlledShutdown()}, stop
 * serving, close the logs, {@link #close()}.
 *
 * <p>All methods may be called from any thread. Futures complete on threads of the control plane:
 * what follows them must not block.
 */
public interface ControlPlane extends AutoCloseable {

  // ---- knowledge

  /** The newest view; the empty one before {@link #loaded()}. */
  ClusterView view();

  /**
   * Completes with the first view that has caught up with what the quorum had committed at start.
   */
  CompletableFuture<ClusterView> loaded();

  /**
   * Completes with the first view from now on that meets the condition; never by itself if there is
   * none. Whoever completes it earlier does not wait any more.
   *
   * @param condition cheap: it is asked with each step of the metadata
   */
  CompletableFuture<ClusterView> seen(Predicate<ClusterView> condition);

  /** Adds a listener; it is called first with all that is there, then with each change. */
  void listen(MetadataListener listener);

  /** Adds a listener of Kafka's own form of the metadata. */
  void listenToImages(ImageListener listener);

  /** The ids of this node's log directories, by path, but for those that failed at the start. */
  Map<Path, Uuid> directories();

  /** What this node listens on for clients and brokers, as configured; port 0 where it is free. */
  List<Endpoint> listeners();

  /** Kafka's configuration of this node, for the parts of Kafka that want it as it is. */
  AbstractKafkaConfig kafkaConfig();

  /** The same with what was changed while this node runs. */
  AbstractKafkaConfig currentConfig();

  /** Where changes of this broker's configuration are judged and taken over. */
  BrokerChanges changes();

  /** Kafka's metrics registry of this node, for the same. */
  Metrics kafkaMetrics();

  /** The way to the other brokers, one for all who ask: it tells its clients apart. */
  Peers peers();

  // ---- registration

  /**
   * Registers this node and starts its heartbeats; it stays fenced until {@link #readyToServe()}.
   */
  void register(Joining joining);

  /**
   * Completes when the controller acknowledges that this node has caught up with the metadata;
   * fails with a ControlException that says why when it never registered this node.
   */
  CompletableFuture<Void> caughtUp();

  /**
   * Asks to be unfenced: the listeners are open. Completes when the controller has done so and the
   * view knows.
   */
  CompletableFuture<Void> readyToServe();

  /**
   * Whether this node is unfenced, as far as it heard, and not on its way out: that no controller
   * is heard of changes nothing.
   */
  boolean serving();

  /** The epoch of this node's registration, -1 before it. */
  long brokerEpoch();

  /** Hands leadership over; completes when the controller lets this node go. */
  CompletableFuture<Void> controlledShutdown();

  /** For how long no controller has answered a heartbeat of this node's, in milliseconds. */
  long controllerSilentMs();

  /** Tells the controller where a replica lives; {@code done} runs when it has been recorded. */
  void assignDirectory(TopicIdPartition replica, Uuid directory, String reason, Runnable done);

  /**
   * The log directories that take no new replicas ({@code cordoned.log.dirs}, KIP-1066); none
   * before the cluster's metadata level knows of such.
   */
  Set<Path> cordonedDirectories();

  /** Tells the controller that a log directory failed. */
  void directoryFailed(Uuid directory);

  /**
   * Called once, from a thread of the control plane, when it can not go on (a fault of the
   * controller, a lost registration): stop the node in order.
   */
  void onFatal(Runnable stop);

  // ---- requests to the controller

  /**
   * Asks for another set of replicas in sync; repeated until a controller answers. One at a time
   * for each partition: OPERATION_NOT_ATTEMPTED otherwise. Fails with the error that the controller
   * gives, FENCED_LEADER_EPOCH, INVALID_UPDATE_VERSION, INELIGIBLE_REPLICA, NEW_LEADER_ELECTED…
   */
  CompletableFuture<IsrChange.Answer> changeIsr(IsrChange change);

  /**
   * Sends a client's request to the active controller in its name and gives back the response.
   * Retries until a controller answers or the request's time is over (TimeoutException). Fails with
   * UnsupportedVersionException when the controller does not know the version: close the connection
   * then, as Kafka does.
   *
   * @param context of the client's request, its header and principal
   * @param wholeRequest header and body as they came, from position to limit; copied before this
   *     returns
   */
  CompletableFuture<AbstractResponse> forward(RequestContext context, ByteBuffer wholeRequest);

  /** As {@link #forward(RequestContext, ByteBuffer)} for a request that was rewritten here. */
  CompletableFuture<AbstractResponse> forward(RequestContext context, AbstractRequest rewritten);

  /** Sends a request of this node's own to the active controller. */
  CompletableFuture<AbstractResponse> send(AbstractRequest.Builder<?> request);

  /**
   * The ApiVersions answer: what the controller knows where requests are forwarded, features, and
   * only the APIs that are served here.
   */
  ApiVersionsResponse apiVersions(Set<ApiKeys> served, boolean alterFeatureLevel0);

  /**
   * Creates topics with this broker's defaults, internal ones ({@code __consumer_offsets}…) with
   * theirs. Requests for a topic already being created share its result. Completes with an error
   * per topic; NONE does not mean that {@link #view()} knows it already.
   *
   * @param client the client on whose behalf, whose principal is authorized; null for this broker
   */
  CompletableFuture<Map<String, ApiError>> createTopics(
      Set<String> topics, @Nullable RequestContext client);

  /** As above, of topics that somebody has described. */
  CompletableFuture<Map<String, ApiError>> createTopics(
      Map<String, CreatableTopic> topics, RequestContext client);

  /**
   * A producer id never given out before. Fails with COORDINATOR_LOAD_IN_PROGRESS (retriable) while
   * the next block is fetched.
   */
  CompletableFuture<Long> nextProducerId();

  /** Stops everything, controller included. */
  @Override
  void close();
}

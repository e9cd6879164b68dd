package io.strandline.broker.request.transaction;

import io.strandline.broker.guard.Guard;
import io.strandline.broker.request.Handler;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.transaction.Markers;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.acl.AclOperation;
import org.apache.kafka.common.errors.ClusterAuthorizationException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.common.requests.WriteTxnMarkersResponse;

/**
 * WriteTxnMarkers, of a coordinator that ends transactions, and of an operator who aborts one that
 * hangs (KIP-664).
 */
final class MarkersHandler implements Handler<WriteTxnMarkersRequest> {
  private final Markers markers;
  private final Guard guard;

  MarkersHandler(Markers markers, Guard guard) {
    this.markers = markers;
    this.guard = guard;
  }

  @Override
  public CompletionStage<Reply> handle(Request<WriteTxnMarkersRequest> request) {
    if (!guard.allowsCluster(request.context(), AclOperation.ALTER)
        && !guard.allowsCluster(request.context(), AclOperation.CLUSTER_ACTION)) {
      throw new ClusterAuthorizationException("for brokers and operators only");
    }
    List<TxnMarkerEntry> asked = request.body().markers();
    List<CompletableFuture<Map<TopicPartition, Errors>>> written =
        asked.stream().map(markers::write).toList();
    return CompletableFuture.allOf(written.toArray(CompletableFuture<?>[]::new))
        .thenApply(
            all -> {
              Map<Long, Map<TopicPartition, Errors>> errors = new HashMap<>();
              for (int i = 0; i < asked.size(); i++) {
                errors
                    .computeIfAbsent(asked.get(i).producerId(), id -> new HashMap<>())
                    .putAll(written.get(i).join());
              }
              return Reply.of(new WriteTxnMarkersResponse(errors));
            });
  }
}

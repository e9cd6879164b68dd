package io.strandline.broker.transaction;

import io.strandline.broker.control.PeerQueue;
import io.strandline.broker.control.PeerRequests;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.BrokerNotAvailableException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.common.requests.WriteTxnMarkersResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Markers for partitions that other brokers lead, by WriteTxnMarkers (KIP-98): one request to each
 * broker at a time, with the markers of many transactions. A broker that does not answer holds up
 * nobody but itself.
 */
final class RemoteMarkers {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteMarkers.class);

  private final PeerRequests peers;
  private final Map<Integer, PeerQueue<Asked>> queues = new ConcurrentHashMap<>();

  RemoteMarkers(PeerRequests peers) {
    this.peers = peers;
  }

  private record Asked(
      TxnMarkerEntry marker, CompletableFuture<Map<TopicPartition, Errors>> answer) {

    /** The response is by producer ids. */
    private Object producer() {
      return marker.producerId();
    }

    private void tell(Map<Long, Map<TopicPartition, Errors>> answers, Errors otherwise) {
      Map<TopicPartition, Errors> mine = answers.getOrDefault(marker.producerId(), Map.of());
      Map<TopicPartition, Errors> errors = new HashMap<>();
      marker.partitions().forEach(p -> errors.put(p, mine.getOrDefault(p, otherwise)));
      answer.complete(errors);
    }
  }

  /** Who writes markers into partitions that this broker leads. */
  Markers of(int broker) {
    PeerQueue<Asked> queue =
        queues.computeIfAbsent(
            broker, id -> new PeerQueue<>(Asked::producer, batch -> send(id, batch)));
    return marker -> {
      Asked asked = new Asked(marker, new CompletableFuture<>());
      queue.add(asked);
      return asked.answer;
    };
  }

  private CompletableFuture<?> send(int broker, List<Asked> batch) {
    return peers
        .send(
            broker, new WriteTxnMarkersRequest.Builder(batch.stream().map(Asked::marker).toList()))
        .handle(
            (response, failure) -> {
              tell(broker, batch, response, failure);
              return batch;
            });
  }

  private static void tell(
      int broker,
      List<Asked> batch,
      @Nullable AbstractResponse response,
      @Nullable Throwable failure) {
    if (response instanceof WriteTxnMarkersResponse written) {
      var answers = written.errorsByProducerId();
      batch.forEach(asked -> asked.tell(answers, Errors.UNKNOWN_SERVER_ERROR));
      return;
    }
    if (!(failure instanceof BrokerNotAvailableException)) {
      LOG.atWarn()
          .addKeyValue("node", broker)
          .setCause(failure)
          .log("markers were not taken, they are sent again");
    }
    batch.forEach(asked -> asked.tell(Map.of(), Errors.NOT_LEADER_OR_FOLLOWER));
  }
}

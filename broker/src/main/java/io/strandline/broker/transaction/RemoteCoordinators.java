package io.strandline.broker.transaction;

import io.strandline.broker.control.PeerQueue;
import io.strandline.broker.control.PeerRequests;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopic;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTopicCollection;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransaction;
import org.apache.kafka.common.message.AddPartitionsToTxnRequestData.AddPartitionsToTxnTransactionCollection;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.AbstractResponse;
import org.apache.kafka.common.requests.AddPartitionsToTxnRequest;
import org.apache.kafka.common.requests.AddPartitionsToTxnResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Transaction coordinators on other brokers, asked by AddPartitionsToTxn from version 4 on, which
 * is between brokers (KIP-890): one request to each broker at a time, with many transactions.
 */
final class RemoteCoordinators {
  private static final Logger LOG = LoggerFactory.getLogger(RemoteCoordinators.class);

  private final PeerRequests peers;
  private final Map<Integer, PeerQueue<Asked>> queues = new ConcurrentHashMap<>();

  RemoteCoordinators(PeerRequests peers) {
    this.peers = peers;
  }

  private record Asked(
      TransactionalProducer producer,
      Set<TopicPartition> partitions,
      boolean verifyOnly,
      CompletableFuture<Map<TopicPartition, Errors>> answer) {

    private Object transaction() {
      return producer.transactionalId();
    }

    private void tell(Errors error) {
      tell(Map.of(), error);
    }

    private void tell(Map<TopicPartition, Errors> mine, Errors otherwise) {
      Map<TopicPartition, Errors> errors = new HashMap<>();
      partitions.forEach(p -> errors.put(p, mine.getOrDefault(p, otherwise)));
      answer.complete(errors);
    }

    private AddPartitionsToTxnTransaction message() {
      AddPartitionsToTxnTopicCollection topics = new AddPartitionsToTxnTopicCollection();
      for (TopicPartition partition : partitions) {
        AddPartitionsToTxnTopic topic = topics.find(partition.topic());
        if (topic == null) {
          topic = new AddPartitionsToTxnTopic().setName(partition.topic());
          topics.add(topic);
        }
        topic.partitions().add(partition.partition());
      }
      return new AddPartitionsToTxnTransaction()
          .setTransactionalId(producer.transactionalId())
          .setProducerId(producer.producerId())
          .setProducerEpoch(producer.epoch())
          .setVerifyOnly(verifyOnly)
          .setTopics(topics);
    }
  }

  /**
   * An error for each partition, NONE for those that belong to the transaction; never fails.
   *
   * @param verifyOnly do not add those that do not belong to it yet
   */
  CompletableFuture<Map<TopicPartition, Errors>> ask(
      int broker,
      TransactionalProducer producer,
      Set<TopicPartition> partitions,
      boolean verifyOnly) {
    Asked asked = new Asked(producer, partitions, verifyOnly, new CompletableFuture<>());
    queues
        .computeIfAbsent(
            broker, id -> new PeerQueue<>(Asked::transaction, batch -> send(id, batch)))
        .add(asked);
    return asked.answer;
  }

  private CompletableFuture<?> send(int broker, List<Asked> batch) {
    AddPartitionsToTxnTransactionCollection all = new AddPartitionsToTxnTransactionCollection();
    batch.forEach(asked -> all.add(asked.message()));
    return peers
        .send(broker, AddPartitionsToTxnRequest.Builder.forBroker(all))
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
    if (response instanceof AddPartitionsToTxnResponse answer) {
      Errors error = Errors.forCode(answer.data().errorCode());
      if (error == Errors.NONE) {
        var errors = answer.errors();
        batch.forEach(
            asked ->
                asked.tell(
                    errors.getOrDefault(asked.producer.transactionalId(), Map.of()),
                    Errors.UNKNOWN_SERVER_ERROR));
        return;
      }
      LOG.atWarn()
          .addKeyValue("node", broker)
          .addKeyValue("state", error)
          .log("a coordinator refused to verify transactions");
      // What is between brokers is not shown to producers.
      Errors shown =
          error == Errors.CLUSTER_AUTHORIZATION_FAILED ? Errors.INVALID_TXN_STATE : error;
      batch.forEach(asked -> asked.tell(shown));
      return;
    }
    LOG.atWarn()
        .addKeyValue("node", broker)
        .setCause(failure)
        .log("a coordinator could not be asked to verify transactions");
    batch.forEach(asked -> asked.tell(unasked(asked, failure)));
  }

  private static Errors unasked(Asked asked, @Nullable Throwable failure) {
    if (failure instanceof UnsupportedVersionException && asked.verifyOnly) {
      return Errors.NONE; // a broker from before verification, which is then done without
    }
    return failure instanceof DisconnectException
        ? Errors.NETWORK_EXCEPTION
        : Errors.COORDINATOR_NOT_AVAILABLE;
  }
}

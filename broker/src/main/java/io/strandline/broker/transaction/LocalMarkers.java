package io.strandline.broker.transaction;

import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.Partitions;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.UnknownTopicOrPartitionException;
import org.apache.kafka.common.internals.Topic;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.requests.WriteTxnMarkersRequest.TxnMarkerEntry;
import org.apache.kafka.coordinator.group.GroupCoordinator;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Markers for partitions led here. Those of offsets go through the group coordinator, which must
 * learn of them in the order of its log.
 */
final class LocalMarkers implements Markers {
  private static final Logger LOG = LoggerFactory.getLogger(LocalMarkers.class);
  private static final short ALL_IN_SYNC = -1;

  private final Partitions partitions;
  private final GroupCoordinator groups;

  LocalMarkers(Partitions partitions, GroupCoordinator groups) {
    this.partitions = partitions;
    this.groups = groups;
  }

  @Override
  public CompletableFuture<Map<TopicPartition, Errors>> write(TxnMarkerEntry marker) {
    Map<TopicPartition, Errors> errors = new ConcurrentHashMap<>();
    CompletableFuture<?>[] written =
        marker.partitions().stream()
            .map(
                partition ->
                    written(partition, marker)
                        .handle(
                            (done, failure) -> errors.put(partition, error(partition, failure))))
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(written).thenApply(all -> errors);
  }

  private CompletableFuture<?> written(TopicPartition partition, TxnMarkerEntry marker) {
    try {
      if (partitions.hosted(partition).isEmpty()) {
        throw new UnknownTopicOrPartitionException(partition + " is not here");
      }
      return partition.topic().equals(Topic.GROUP_METADATA_TOPIC_NAME)
          ? groups.completeTransaction(
              partition,
              marker.producerId(),
              marker.producerEpoch(),
              marker.coordinatorEpoch(),
              marker.transactionResult(),
              marker.transactionVersion())
          : appended(partition, marker);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private CompletableFuture<?> appended(TopicPartition partition, TxnMarkerEntry marker) {
    ControlRecordType type =
        marker.transactionResult() == TransactionResult.COMMIT
            ? ControlRecordType.COMMIT
            : ControlRecordType.ABORT;
    MemoryRecords records =
        MemoryRecords.withEndTransactionMarker(
            marker.producerId(),
            marker.producerEpoch(),
            new EndTransactionMarker(type, marker.coordinatorEpoch()));
    AppendTerms terms =
        new AppendTerms(
            AppendTerms.PRESENT_EPOCH,
            AppendOrigin.COORDINATOR,
            VerificationGuard.SENTINEL,
            marker.transactionVersion());
    return partitions.leaderOrThrow(partition).append(records, ALL_IN_SYNC, terms).acknowledged();
  }

  private static Errors error(TopicPartition partition, Throwable failure) {
    if (failure == null) {
      return Errors.NONE;
    }
    Errors error =
        Errors.forException(
            failure instanceof CompletionException wrapped && wrapped.getCause() != null
                ? wrapped.getCause()
                : failure);
    return switch (error) {
      case UNKNOWN_TOPIC_OR_PARTITION,
          NOT_LEADER_OR_FOLLOWER,
          NOT_ENOUGH_REPLICAS,
          NOT_ENOUGH_REPLICAS_AFTER_APPEND,
          REQUEST_TIMED_OUT,
          KAFKA_STORAGE_ERROR,
          INVALID_PRODUCER_EPOCH,
          TRANSACTION_COORDINATOR_FENCED,
          UNSUPPORTED_FOR_MESSAGE_FORMAT,
          UNSUPPORTED_VERSION ->
          error;
      // Those of the group coordinator, for offsets.
      case COORDINATOR_NOT_AVAILABLE, COORDINATOR_LOAD_IN_PROGRESS, NOT_COORDINATOR ->
          Errors.NOT_LEADER_OR_FOLLOWER;
      default -> {
        // Apache Kafka's coordinator ends its process at an error that it does not know.
        LOG.atError()
            .addKeyValue("partition", partition)
            .setCause(failure)
            .log("a marker was not written");
        yield Errors.NOT_LEADER_OR_FOLLOWER;
      }
    };
  }
}

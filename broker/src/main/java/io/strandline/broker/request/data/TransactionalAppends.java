package io.strandline.broker.request.data;

import io.strandline.broker.log.Appended;
import io.strandline.broker.log.PartitionLog.AppendTerms;
import io.strandline.broker.partition.Partition;
import io.strandline.broker.partition.PendingAppend;
import io.strandline.broker.partition.owner.Wakes;
import io.strandline.broker.transaction.PartitionVerification;
import io.strandline.broker.transaction.PartitionVerification.Verified;
import io.strandline.broker.transaction.TransactionalProducer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.errors.InvalidPidMappingException;
import org.apache.kafka.common.errors.NotEnoughReplicasException;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.ProduceRequest;
import org.apache.kafka.server.transaction.AddPartitionsToTxnManager;
import org.apache.kafka.storage.internals.log.AppendOrigin;
import org.apache.kafka.storage.internals.log.VerificationGuard;
import org.jspecify.annotations.Nullable;

/**
 * The appends of one Produce that belong to a transaction: gathered first, then verified all at
 * once (KIP-890), then appended as others are, in the order of the producer's requests.
 */
final class TransactionalAppends {
  private static final short NO_MARKER = -1;

  private final PartitionVerification verification;
  private final ProducerTurns turns;
  private final ProduceRequest body;
  private final List<Part> parts = new ArrayList<>();

  TransactionalAppends(
      PartitionVerification verification, ProducerTurns turns, ProduceRequest body) {
    this.verification = verification;
    this.turns = turns;
    this.body = body;
  }

  private record Part(
      Partition leader, MemoryRecords records, RecordBatch first, PendingAppend pending) {
    TopicPartition tp() {
      return leader.id().topicPartition();
    }
  }

  /** Takes the append up; it is under way after {@link #begin}. */
  PendingAppend add(Partition leader, MemoryRecords records, RecordBatch first) {
    CompletableFuture<Appended> written = new CompletableFuture<>();
    boolean all = body.acks() == -1;
    PendingAppend pending = new PendingAppend(written, all ? new CompletableFuture<>() : written);
    parts.add(new Part(leader, records, first, pending));
    return pending;
  }

  /** Once all were added. */
  void begin() {
    if (parts.isEmpty()) {
      return;
    }
    RecordBatch first = parts.get(0).first();
    boolean several =
        parts.stream()
            .anyMatch(
                part ->
                    part.first().producerId() != first.producerId()
                        || part.first().producerEpoch() != first.producerEpoch());
    if (several) {
      fail(new InvalidPidMappingException("a transaction of more than one producer"));
      return;
    }
    turns.take(first.producerId(), () -> append(first));
  }

  /** Done once all are handed to their partitions, which keep the order. */
  private CompletableFuture<?> append(RecordBatch first) {
    return verified(first)
        .whenComplete(
            (verified, failure) -> {
              if (failure == null) {
                append(verified);
              } else {
                fail(failure);
              }
            });
  }

  private void fail(Throwable failure) {
    parts.forEach(part -> part.pending().fail(failure));
  }

  private CompletableFuture<Verified> verified(RecordBatch first) {
    Map<TopicPartition, Integer> sequences = new HashMap<>();
    parts.forEach(part -> sequences.put(part.tp(), part.first().baseSequence()));
    PartitionVerification.Asked asked =
        new PartitionVerification.Asked(
            new TransactionalProducer(
                body.transactionalId(), first.producerId(), first.producerEpoch()),
            AddPartitionsToTxnManager.produceRequestVersionToTransactionSupportedOperation(
                body.version()));
    try {
      return verification.verify(asked, sequences);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private void append(Verified verified) {
    Wakes wakes = new Wakes();
    parts.forEach(part -> append(part, verified, wakes));
    wakes.done();
  }

  private void append(Part part, Verified verified, Wakes wakes) {
    Errors error = verified.errors().getOrDefault(part.tp(), Errors.NONE);
    if (error != Errors.NONE) {
      part.pending().fail(failure(error));
      return;
    }
    VerificationGuard guard = verified.guards().getOrDefault(part.tp(), VerificationGuard.SENTINEL);
    AppendTerms terms =
        new AppendTerms(AppendTerms.PRESENT_EPOCH, AppendOrigin.CLIENT, guard, NO_MARKER);
    PendingAppend begun = part.leader().append(part.records(), body.acks(), terms, wakes);
    pass(begun.written(), part.pending().written());
    pass(begun.acknowledged(), part.pending().acknowledged());
  }

  private static void pass(CompletableFuture<Appended> from, CompletableFuture<Appended> to) {
    var unused =
        from.whenComplete(
            (appended, failure) -> {
              if (failure == null) {
                to.complete(appended);
              } else {
                to.completeExceptionally(failure);
              }
            });
  }

  /**
   * What producers know what to do with: errors of a coordinator become one of partitions that is
   * tried again without a look at the metadata.
   */
  private ApiException failure(Errors error) {
    boolean waits =
        AddPartitionsToTxnManager.produceRequestVersionToTransactionSupportedOperation(
                body.version())
            .supportsEpochBump;
    return switch (error) {
      case INVALID_TXN_STATE -> error.exception("Partition was not added to the transaction");
      case NETWORK_EXCEPTION,
          COORDINATOR_LOAD_IN_PROGRESS,
          COORDINATOR_NOT_AVAILABLE,
          NOT_COORDINATOR ->
          unverified(error);
      case CONCURRENT_TRANSACTIONS -> waits ? error.exception() : unverified(error);
      default -> error.exception();
    };
  }

  private static ApiException unverified(Errors error) {
    return new NotEnoughReplicasException(
        "Unable to verify the partition has been added to the transaction. Underlying error: "
            + error);
  }

  /** The first batch, if it belongs to a transaction. */
  static @Nullable RecordBatch first(MemoryRecords records) {
    for (RecordBatch batch : records.batches()) {
      return batch.hasProducerId() && batch.isTransactional() ? batch : null;
    }
    return null;
  }
}

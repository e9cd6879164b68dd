package io.strandline.broker.transaction;

import io.strandline.broker.coordinator.OffsetVerification;
import io.strandline.broker.partition.Partitions;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.coordinator.transaction.AddPartitionsToTxnConfig;
import org.apache.kafka.server.common.TransactionVersion;
import org.apache.kafka.server.transaction.AddPartitionsToTxnManager;
import org.apache.kafka.server.transaction.AddPartitionsToTxnManager.TransactionSupportedOperation;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * Before the first records of a transaction are appended to a partition, its coordinator says that
 * the partition belongs to the transaction, or adds it (KIP-890): else a late batch would begin a
 * transaction that nobody ends.
 *
 * <p>Threads: any; nothing waits.
 */
public final class Verification implements PartitionVerification, OffsetVerification {
  private final Partitions partitions;
  private final TransactionCoordinator coordinator;
  private final RemoteCoordinators elsewhere;
  private final BooleanSupplier enabled;
  private final AddPartitionsToTxnConfig patience;
  private final ScheduledExecutorService timer;

  /**
   * @param verifies {@code transaction.partition.verification.enable}, as the logs have it now;
   *     partitions are added to transactions without it too
   * @param patience how long a transaction that is still ending is waited for
   */
  record Terms(BooleanSupplier verifies, AddPartitionsToTxnConfig patience) {}

  Verification(
      Partitions partitions,
      TransactionCoordinator coordinator,
      RemoteCoordinators elsewhere,
      Terms terms,
      ScheduledExecutorService timer) {
    this.partitions = partitions;
    this.coordinator = coordinator;
    this.elsewhere = elsewhere;
    this.enabled = terms.verifies;
    this.patience = terms.patience;
    this.timer = timer;
  }

  @Override
  public CompletableFuture<Verified> verify(
      Asked asked, Map<TopicPartition, Integer> firstSequences) {
    int tries =
        asked.client().supportsEpochBump
            ? 1
                + patience.addPartitionsToTxnRetryBackoffMaxMs()
                    / patience.addPartitionsToTxnRetryBackoffMs()
            : 1;
    return begin(asked, firstSequences).thenCompose(begun -> ask(asked, begun, tries));
  }

  @Override
  public CompletableFuture<VerificationGuard> begin(
      TopicPartition partition,
      String transactionalId,
      long producerId,
      short producerEpoch,
      int version) {
    Asked asked =
        new Asked(
            new TransactionalProducer(transactionalId, producerId, producerEpoch),
            AddPartitionsToTxnManager.txnOffsetCommitRequestVersionToTransactionSupportedOperation(
                version));
    return begin(asked, Map.of(partition, RecordBatch.NO_SEQUENCE))
        .thenCompose(begun -> ask(asked, begun, 1))
        .thenApply(
            verified -> {
              Errors error = verified.errors().getOrDefault(partition, Errors.NONE);
              if (error != Errors.NONE) {
                throw error.exception();
              }
              return verified.guards().getOrDefault(partition, VerificationGuard.SENTINEL);
            });
  }

  private CompletableFuture<Verified> begin(
      Asked asked, Map<TopicPartition, Integer> firstSequences) {
    if (!asked.client().supportsEpochBump && !enabled.getAsBoolean()) {
      return CompletableFuture.completedFuture(Verified.NOTHING);
    }
    Map<TopicPartition, VerificationGuard> guards = new ConcurrentHashMap<>();
    Map<TopicPartition, Errors> errors = new ConcurrentHashMap<>();
    CompletableFuture<?>[] begun =
        firstSequences.entrySet().stream()
            .map(
                first ->
                    guard(asked, first.getKey(), first.getValue())
                        .handle(
                            (guard, failure) -> {
                              if (failure != null) {
                                errors.put(first.getKey(), Errors.forException(cause(failure)));
                              } else if (!guard.equals(VerificationGuard.SENTINEL)) {
                                guards.put(first.getKey(), guard);
                              }
                              return guard;
                            }))
            .toArray(CompletableFuture<?>[]::new);
    return CompletableFuture.allOf(begun).thenApply(all -> new Verified(guards, errors));
  }

  private CompletableFuture<VerificationGuard> guard(
      Asked asked, TopicPartition partition, int sequence) {
    try {
      TransactionalProducer producer = asked.producer();
      return partitions
          .leaderOrThrow(partition)
          .verify(
              producer.producerId(), producer.epoch(), sequence, asked.client().supportsEpochBump);
    } catch (RuntimeException failure) {
      return CompletableFuture.failedFuture(failure);
    }
  }

  private CompletableFuture<Verified> ask(Asked asked, Verified begun, int tries) {
    if (begun.guards().isEmpty()) {
      return CompletableFuture.completedFuture(begun);
    }
    return coordinator(asked, begun.guards().keySet())
        .thenCompose(
            errors ->
                tries > 1 && errors.containsValue(Errors.CONCURRENT_TRANSACTIONS)
                    ? later().thenCompose(now -> ask(asked, begun, tries - 1))
                    : CompletableFuture.completedFuture(merged(asked, begun, errors)));
  }

  private CompletableFuture<Map<TopicPartition, Errors>> coordinator(
      Asked asked, Set<TopicPartition> wanted) {
    OptionalInt other = coordinator.elsewhere(asked.producer().transactionalId());
    if (other.isPresent()) {
      boolean verifyOnly = !asked.client().supportsEpochBump;
      return elsewhere.ask(other.getAsInt(), asked.producer(), wanted, verifyOnly);
    }
    return asked.client().supportsEpochBump
        ? coordinator
            .add(asked.producer(), wanted, TransactionVersion.TV_2)
            .thenApply(
                error -> {
                  Map<TopicPartition, Errors> errors = new HashMap<>();
                  wanted.forEach(partition -> errors.put(partition, error));
                  return errors;
                })
        : coordinator.verify(asked.producer(), wanted);
  }

  private static Verified merged(Asked asked, Verified begun, Map<TopicPartition, Errors> errors) {
    Map<TopicPartition, Errors> all = new HashMap<>(begun.errors());
    errors.forEach(
        (partition, error) -> {
          if (error != Errors.NONE) {
            all.put(partition, known(error, asked.client()));
          }
        });
    return new Verified(begun.guards(), all);
  }

  /** By the names that producers of that version expect. */
  private static Errors known(Errors error, TransactionSupportedOperation client) {
    return switch (error) {
      case PRODUCER_FENCED -> Errors.INVALID_PRODUCER_EPOCH;
      case TRANSACTION_ABORTABLE ->
          client == TransactionSupportedOperation.DEFAULT_ERROR ? Errors.INVALID_TXN_STATE : error;
      default -> error;
    };
  }

  private CompletableFuture<Void> later() {
    CompletableFuture<Void> now = new CompletableFuture<>();
    var unused =
        timer.schedule(
            () -> now.complete(null),
            patience.addPartitionsToTxnRetryBackoffMs(),
            TimeUnit.MILLISECONDS);
    return now;
  }

  private static Throwable cause(Throwable failure) {
    return failure.getCause() == null ? failure : failure.getCause();
  }
}

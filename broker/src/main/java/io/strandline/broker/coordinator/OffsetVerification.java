package io.strandline.broker.coordinator;

import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/**
 * Whether a partition of offsets is part of a transaction, asked before offsets are written in it
 * (KIP-890).
 */
@FunctionalInterface
public interface OffsetVerification {
  /** For coordinators that write in no transaction of others. */
  OffsetVerification NONE =
      (partition, transactionalId, producerId, epoch, version) ->
          CompletableFuture.completedFuture(VerificationGuard.SENTINEL);

  /**
   * Completes with what the append is to be guarded by, or fails with the error of the transaction
   * coordinator.
   *
   * @param version of TxnOffsetCommit that the client sent
   */
  CompletableFuture<VerificationGuard> begin(
      TopicPartition partition,
      String transactionalId,
      long producerId,
      short producerEpoch,
      int version);
}

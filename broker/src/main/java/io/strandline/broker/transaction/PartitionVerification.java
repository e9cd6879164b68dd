package io.strandline.broker.transaction;

import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.server.transaction.AddPartitionsToTxnManager.TransactionSupportedOperation;
import org.apache.kafka.storage.internals.log.VerificationGuard;

/** Whether partitions are part of a transaction, asked before records are appended (KIP-890). */
@FunctionalInterface
public interface PartitionVerification {

  /** What is asked by a client, and how much its version of the protocol understands. */
  record Asked(TransactionalProducer producer, TransactionSupportedOperation client) {}

  /**
   * What came of it.
   *
   * @param guards for partitions that may be appended to; a partition without is open already
   * @param errors of partitions that may not
   */
  record Verified(
      Map<TopicPartition, VerificationGuard> guards, Map<TopicPartition, Errors> errors) {
    public static final Verified NOTHING = new Verified(Map.of(), Map.of());
  }

  /**
   * Verifies partitions led here for the appends of one request; never fails.
   *
   * @param firstSequences of the batches to come
   */
  CompletableFuture<Verified> verify(Asked asked, Map<TopicPartition, Integer> firstSequences);
}

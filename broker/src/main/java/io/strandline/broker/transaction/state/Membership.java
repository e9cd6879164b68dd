package io.strandline.broker.transaction.state;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/** AddPartitionsToTxn: partitions become part of a transaction, or are looked for in it. */
public record Membership(ProducerIdAndEpoch producer, Set<TopicPartition> partitions) {

  /**
   * @param client the version of the client's protocol
   */
  public Verdict add(@Nullable Transaction now, TransactionVersion client, long nowMs) {
    if (now != null && now.ending()) {
      // First of all: the producer may have the id that is taken when this has ended.
      return Verdict.refused(Errors.CONCURRENT_TRANSACTIONS);
    }
    Errors error = judge(now);
    if (now == null || error != Errors.NONE) {
      return Verdict.refused(error);
    }
    return now.state() == TransactionState.ONGOING && now.partitions().containsAll(partitions)
        ? new Verdict.Granted(now)
        : new Verdict.Changed(now.with(partitions, client, nowMs));
  }

  /** An error for each partition, NONE for those that belong to it (KIP-890). */
  public Map<TopicPartition, Errors> verify(@Nullable Transaction now) {
    Errors error = judge(now);
    if (now != null && error == Errors.NONE && now.ending()) {
      error = Errors.CONCURRENT_TRANSACTIONS;
    }
    Map<TopicPartition, Errors> errors = new HashMap<>();
    for (TopicPartition partition : partitions) {
      boolean outside =
          error == Errors.NONE && now != null && !now.partitions().contains(partition);
      errors.put(partition, outside ? Errors.TRANSACTION_ABORTABLE : error);
    }
    return errors;
  }

  private Errors judge(@Nullable Transaction now) {
    if (now == null || now.producer().id() != producer.producerId) {
      return Errors.INVALID_PRODUCER_ID_MAPPING;
    }
    return now.producer().epoch() == producer.epoch ? Errors.NONE : Errors.PRODUCER_FENCED;
  }
}

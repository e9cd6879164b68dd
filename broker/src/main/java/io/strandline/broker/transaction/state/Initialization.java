package io.strandline.broker.transaction.state;

import java.util.Optional;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/**
 * InitProducerId: a producer takes over a transactional id and fences whoever had it (KIP-98), or
 * goes on with its own after an error (KIP-360). What is open is aborted first, while the producer
 * is asked to come again.
 *
 * @param expected what the producer believes to have; empty for one that begins
 * @param server the version of transactions of the cluster, by which an open one is aborted
 */
public record Initialization(
    Optional<ProducerIdAndEpoch> expected, int timeoutMs, TransactionVersion server, long nowMs) {

  /**
   * @param freshId a producer id never given out, or -1
   */
  public Verdict decide(@Nullable Transaction found, long freshId) {
    if (found == null && freshId == RecordBatch.NO_PRODUCER_ID) {
      return new Verdict.NeedsProducerId();
    }
    Transaction now =
        found == null ? Transaction.fresh(freshId, new Timing(timeoutMs, -1, nowMs)) : found;
    if (now.ending()) {
      return Verdict.refused(Errors.CONCURRENT_TRANSACTIONS);
    }
    if (expected.filter(asked -> !known(now.producer(), asked)).isPresent()) {
      return Verdict.refused(Errors.PRODUCER_FENCED);
    }
    if (now.state() == TransactionState.ONGOING) {
      return new Fence(server, nowMs).decide(now, freshId);
    }
    ProducerIdentity producer = now.producer();
    boolean rotates =
        producer.exhausted() && expected.filter(asked -> asked.epoch != producer.epoch()).isEmpty();
    if (rotates) {
      return freshId == RecordBatch.NO_PRODUCER_ID
          ? new Verdict.NeedsProducerId()
          : changed(now, producer.rotated(freshId, lastEpochOf(producer)));
    }
    return bump(now);
  }

  /**
   * Whether the producer may have been told of what it names. One that lost the answer to a change
   * of id names the id before, at its last epoch.
   */
  private static boolean known(ProducerIdentity producer, ProducerIdAndEpoch asked) {
    return producer.epoch() == RecordBatch.NO_PRODUCER_EPOCH
        || asked.producerId == producer.id()
        || (asked.producerId == producer.previousId() && ProducerIdentity.exhausted(asked.epoch));
  }

  private short lastEpochOf(ProducerIdentity producer) {
    return expected.isPresent() ? producer.epoch() : RecordBatch.NO_PRODUCER_EPOCH;
  }

  private Verdict bump(Transaction now) {
    ProducerIdentity producer = now.producer();
    boolean retried =
        expected.isPresent()
            && producer.epoch() != RecordBatch.NO_PRODUCER_EPOCH
            && expected.get().epoch != producer.epoch();
    if (!retried) {
      return changed(now, producer.at(producer.bumped(), lastEpochOf(producer)));
    }
    return expected.get().epoch == producer.lastEpoch()
        ? changed(now, producer.kept())
        : Verdict.refused(Errors.PRODUCER_FENCED);
  }

  private Verdict changed(Transaction now, ProducerIdentity identity) {
    return new Verdict.Changed(now.initialized(identity, timeoutMs, nowMs));
  }
}

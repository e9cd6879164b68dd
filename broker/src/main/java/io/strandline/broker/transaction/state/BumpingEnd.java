package io.strandline.broker.transaction.state;

import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/**
 * EndTxn from version 5 on: each transaction has an epoch of its own (KIP-890), so that no batch of
 * one can slip into the next. When epochs run out, the next transaction has another producer id.
 *
 * <p>The same request sent again names the epoch before the bump, or the id before the change.
 */
public record BumpingEnd(TransactionResult result, long nowMs, TransactionVersion version) {

  public BumpingEnd(TransactionResult result, long nowMs) {
    this(result, nowMs, TransactionVersion.TV_2);
  }

  /**
   * @param freshId a producer id never given out, or -1
   */
  public Verdict decide(@Nullable Transaction now, ProducerIdAndEpoch asked, long freshId) {
    if (now == null) {
      return Verdict.refused(Errors.INVALID_PRODUCER_ID_MAPPING);
    }
    if (now.ending()) {
      // First of all: the producer may have the id that is taken when this has ended.
      return Verdict.refused(Errors.CONCURRENT_TRANSACTIONS);
    }
    ProducerIdentity producer = now.producer();
    boolean rotated =
        producer.previousId() == asked.producerId
            && asked.epoch == Short.MAX_VALUE - 1
            && producer.epoch() == 0;
    if (producer.id() != asked.producerId && !rotated) {
      return Verdict.refused(Errors.INVALID_PRODUCER_ID_MAPPING);
    }
    boolean current = producer.epoch() == asked.epoch && producer.id() == asked.producerId;
    boolean again = rotated || producer.epoch() == asked.epoch + 1;
    return switch (now.state()) {
      case ONGOING -> current ? prepare(now, freshId) : fenced();
      case EMPTY -> current ? abortOfNothing(now, freshId) : fenced();
      case COMPLETE_COMMIT, COMPLETE_ABORT ->
          again ? repeated(now) : current ? abortOfNothing(now, freshId) : fenced();
      case PREPARE_COMMIT, PREPARE_ABORT, DEAD, PREPARE_EPOCH_FENCE ->
          Verdict.refused(Errors.INVALID_TXN_STATE);
    };
  }

  private static Verdict fenced() {
    return Verdict.refused(Errors.PRODUCER_FENCED);
  }

  private Verdict repeated(Transaction now) {
    return now.result() == result
        ? new Verdict.Granted(now)
        : Verdict.refused(Errors.INVALID_TXN_STATE);
  }

  private Verdict abortOfNothing(Transaction now, long freshId) {
    return result == TransactionResult.ABORT
        ? prepare(now, freshId, now.timing().started(nowMs))
        : Verdict.refused(Errors.INVALID_TXN_STATE);
  }

  Verdict prepare(Transaction now, long freshId) {
    return prepare(now, freshId, now.timing().updated(nowMs));
  }

  private Verdict prepare(Transaction now, long freshId, Timing timing) {
    ProducerIdentity producer = now.producer();
    if (producer.exhausted() && freshId == RecordBatch.NO_PRODUCER_ID) {
      return new Verdict.NeedsProducerId();
    }
    long next = producer.exhausted() ? freshId : RecordBatch.NO_PRODUCER_ID;
    return new Verdict.Changed(
        now.prepared(
            result, producer.at(producer.bumped(), producer.epoch()).next(next), timing, version));
  }
}

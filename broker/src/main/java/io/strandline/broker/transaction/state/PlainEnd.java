package io.strandline.broker.transaction.state;

import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.common.utils.ProducerIdAndEpoch;
import org.jspecify.annotations.Nullable;

/** EndTxn up to version 4: the epoch stays (KIP-98). */
public record PlainEnd(ProducerIdAndEpoch producer, TransactionResult result, long nowMs) {

  public Verdict decide(@Nullable Transaction now) {
    if (now == null || now.producer().id() != producer.producerId) {
      return Verdict.refused(Errors.INVALID_PRODUCER_ID_MAPPING);
    }
    if (now.producer().epoch() != producer.epoch) {
      return Verdict.refused(Errors.PRODUCER_FENCED);
    }
    return switch (now.state()) {
      case PREPARE_COMMIT, PREPARE_ABORT ->
          Verdict.refused(
              now.result() == result ? Errors.CONCURRENT_TRANSACTIONS : Errors.INVALID_TXN_STATE);
      case ONGOING ->
          new Verdict.Changed(
              now.prepared(
                  result,
                  now.producer().kept().next(RecordBatch.NO_PRODUCER_ID),
                  now.timing().updated(nowMs)));
      case COMPLETE_COMMIT, COMPLETE_ABORT ->
          now.result() == result
              ? new Verdict.Granted(now)
              : Verdict.refused(Errors.INVALID_TXN_STATE);
      case EMPTY, DEAD, PREPARE_EPOCH_FENCE -> Verdict.refused(Errors.INVALID_TXN_STATE);
    };
  }
}

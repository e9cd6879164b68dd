package io.strandline.broker.transaction.state;

import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;
import org.jspecify.annotations.Nullable;

/**
 * Aborts an open transaction over its producer's head: another one takes its place, or it took too
 * long. Its epoch rises, to one that is told to nobody.
 */
public record Fence(TransactionVersion server, long nowMs) {

  /**
   * @param freshId a producer id never given out, or -1
   */
  public Verdict decide(@Nullable Transaction now, long freshId) {
    if (now == null || now.state() != TransactionState.ONGOING) {
      return Verdict.refused(Errors.INVALID_TXN_STATE);
    }
    if (server.supportsEpochBump()) {
      return new BumpingEnd(TransactionResult.ABORT, nowMs, server).prepare(now, freshId);
    }
    ProducerIdentity producer = now.producer();
    return new Verdict.Changed(
        now.prepared(
            TransactionResult.ABORT,
            producer
                .at(producer.bumped(), RecordBatch.NO_PRODUCER_EPOCH)
                .next(RecordBatch.NO_PRODUCER_ID),
            now.timing().updated(nowMs)));
  }

  /**
   * As above, for one that was seen to be too old: not if its producer has moved on meanwhile.
   *
   * @param seen what was open for too long
   */
  public Verdict decide(@Nullable Transaction now, ProducerIdentity seen, long freshId) {
    boolean same =
        now != null
            && now.producer().id() == seen.id()
            && now.producer().epoch() == seen.epoch()
            && now.timedOut(nowMs);
    return same ? decide(now, freshId) : Verdict.refused(Errors.PRODUCER_FENCED);
  }
}

package io.strandline.broker.transaction.state;

import java.util.HashSet;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.requests.TransactionResult;
import org.apache.kafka.coordinator.transaction.TransactionState;
import org.apache.kafka.server.common.TransactionVersion;

/**
 * What is known of one transactional id. Immutable: each change is a new one, and a record in the
 * log.
 *
 * <pre>
 *             add                 end, fence             markers written
 *   EMPTY ──────────▶ ONGOING ────────────▶ PREPARE_* ──────────────────▶ COMPLETE_*
 *                        ▲                                                    │
 *                        └────────────────────── add ─────────────────────────┘
 * </pre>
 *
 * By version 2 EMPTY and COMPLETE may be aborted too, for a producer that does not know whether any
 * of its batches arrived. From EMPTY and COMPLETE a new producer begins at EMPTY.
 *
 * @param partitions that may hold records of it and wait for markers
 * @param version of the client's protocol, by which it is ended
 */
public record Transaction(
    TransactionState state,
    ProducerIdentity producer,
    Set<TopicPartition> partitions,
    Timing timing,
    TransactionVersion version) {

  public Transaction {
    partitions = Set.copyOf(partitions);
  }

  /** Of a transactional id that was never seen. */
  static Transaction fresh(long producerId, Timing timing) {
    return new Transaction(
        TransactionState.EMPTY,
        ProducerIdentity.fresh(producerId),
        Set.of(),
        timing,
        TransactionVersion.TV_0);
  }

  /** Whether its end is decided and its markers are being written: nothing else may begin. */
  public boolean ending() {
    return state == TransactionState.PREPARE_COMMIT || state == TransactionState.PREPARE_ABORT;
  }

  /** How it ended or is about to end. */
  public TransactionResult result() {
    return state == TransactionState.PREPARE_COMMIT || state == TransactionState.COMPLETE_COMMIT
        ? TransactionResult.COMMIT
        : TransactionResult.ABORT;
  }

  /** Whether it has been open for longer than its producer allowed. */
  public boolean timedOut(long nowMs) {
    return state == TransactionState.ONGOING && timing.expired(nowMs);
  }

  /** Whether nobody has used the transactional id for that long, and nothing is open. */
  public boolean idle(long nowMs, long expirationMs) {
    return state.isExpirationAllowed() && timing.updatedMs() <= nowMs - expirationMs;
  }

  Transaction initialized(ProducerIdentity identity, int timeoutMs, long nowMs) {
    return new Transaction(
        TransactionState.EMPTY,
        identity,
        Set.of(),
        new Timing(timeoutMs, Timing.NOT_STARTED, nowMs),
        version);
  }

  Transaction with(Set<TopicPartition> added, TransactionVersion client, long nowMs) {
    Set<TopicPartition> all = new HashSet<>(partitions);
    all.addAll(added);
    return new Transaction(
        TransactionState.ONGOING,
        producer.kept(),
        all,
        state == TransactionState.ONGOING ? timing.updated(nowMs) : timing.started(nowMs),
        client);
  }

  Transaction prepared(TransactionResult result, ProducerIdentity identity, Timing at) {
    return prepared(result, identity, at, TransactionVersion.TV_0);
  }

  Transaction prepared(
      TransactionResult result, ProducerIdentity identity, Timing at, TransactionVersion client) {
    return new Transaction(
        result == TransactionResult.COMMIT
            ? TransactionState.PREPARE_COMMIT
            : TransactionState.PREPARE_ABORT,
        identity,
        partitions,
        at,
        client);
  }

  /** All markers are written. What its producer is told is the identity here, before they are. */
  public Transaction completed(long nowMs) {
    boolean rotates =
        version.supportsEpochBump() && producer.nextId() != RecordBatch.NO_PRODUCER_ID;
    return new Transaction(
        result() == TransactionResult.COMMIT
            ? TransactionState.COMPLETE_COMMIT
            : TransactionState.COMPLETE_ABORT,
        rotates
            ? producer.rotated(producer.nextId(), producer.lastEpoch())
            : producer.kept().next(RecordBatch.NO_PRODUCER_ID),
        Set.of(),
        timing.updated(nowMs),
        version);
  }
}

package io.strandline.tiering.compact;

import io.strandline.tiering.segment.AbortedTransaction;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Set;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Which transactions a walk over batches, in order of offsets, is inside of; carried from segment
 * to segment. A marker may go once the walk met no batch of its transaction. One thread.
 */
final class TransactionLedger {
  /** An aborted transaction that the walk is inside of. */
  private static final class Aborted {
    final AbortedTransaction transaction;
    boolean batchSeen;

    Aborted(AbortedTransaction transaction) {
      this.transaction = transaction;
    }
  }

  private final PriorityQueue<AbortedTransaction> ahead =
      new PriorityQueue<>(Comparator.comparingLong(AbortedTransaction::firstOffset));
  private final Map<Long, Aborted> abortedByProducer = new HashMap<>();
  private final Set<Long> committing = new HashSet<>();
  private final long fromOffset;

  /**
   * @param fromOffset where the walk begins. Of transactions begun below nothing is known but that
   *     their batches may still be there, so their markers stay; 0 for a walk from the start
   */
  TransactionLedger(long fromOffset) {
    this.fromOffset = fromOffset;
  }

  /** What was decided of one batch. */
  record Verdict(boolean discardable, @Nullable AbortedTransaction kept) {
    static final Verdict KEEP = new Verdict(false, null);
    static final Verdict DISCARD = new Verdict(true, null);
  }

  void expect(List<AbortedTransaction> transactions) {
    ahead.addAll(transactions);
  }

  /**
   * The next batch of the walk.
   *
   * @return whether nothing in it is needed any more as far as transactions go; and, for an abort
   *     marker that is, the transaction it ends
   */
  Verdict next(RecordBatch batch) {
    enter(batch);
    return batch.isControlBatch() ? marker(batch) : data(batch);
  }

  /**
   * The next batch of the walk, which stays as it is.
   *
   * @return the aborted transaction that it ends, if it is the marker of one
   */
  @Nullable AbortedTransaction pass(RecordBatch batch) {
    if (!batch.isControlBatch()) {
      Verdict unused = next(batch);
      return null;
    }
    enter(batch);
    committing.remove(batch.producerId());
    Aborted known = abortedByProducer.get(batch.producerId());
    if (known == null || known.transaction.lastOffset() > batch.lastOffset()) {
      return null;
    }
    abortedByProducer.remove(batch.producerId());
    return known.transaction;
  }

  private void enter(RecordBatch batch) {
    if (batch.hasProducerId()) {
      abortedByProducer.computeIfPresent(
          batch.producerId(),
          (id, known) ->
              known.transaction.lastOffset() < batch.baseOffset()
                  ? null
                  : known); // its marker is gone
    }
    AbortedTransaction next = ahead.peek();
    while (next != null && next.firstOffset() <= batch.lastOffset()) {
      ahead.poll();
      if (next.lastOffset() >= batch.baseOffset()) {
        Aborted entered = new Aborted(next);
        entered.batchSeen = next.firstOffset() < fromOffset;
        abortedByProducer.merge(
            next.producerId(),
            entered,
            (known, fresh) ->
                known.transaction.lastOffset() < fresh.transaction.firstOffset() ? fresh : known);
      }
      next = ahead.peek();
    }
  }

  private Verdict data(RecordBatch batch) {
    if (!batch.isTransactional()) {
      return Verdict.KEEP;
    }
    Aborted aborted = abortedByProducer.get(batch.producerId());
    if (aborted == null) {
      committing.add(batch.producerId());
      return Verdict.KEEP;
    }
    aborted.batchSeen = true;
    return Verdict.DISCARD;
  }

  private Verdict marker(RecordBatch batch) {
    Iterator<Record> records = batch.iterator();
    if (!records.hasNext()) {
      return Verdict.DISCARD; // emptied by an earlier round
    }
    return switch (ControlRecordType.parse(records.next().key())) {
      case ABORT -> {
        Aborted aborted = abortedByProducer.remove(batch.producerId());
        yield aborted == null || !aborted.batchSeen
            ? Verdict.DISCARD
            : new Verdict(false, aborted.transaction);
      }
      case COMMIT ->
          committing.remove(batch.producerId()) || mayHaveBegunBefore(batch)
              ? Verdict.KEEP
              : Verdict.DISCARD;
      default -> Verdict.KEEP;
    };
  }

  /** A marker that has its horizon had lost all its batches before. */
  private boolean mayHaveBegunBefore(RecordBatch marker) {
    return fromOffset > 0 && marker.deleteHorizonMs().isEmpty();
  }
}

package io.strandline.tiering.compact;

import io.strandline.tiering.compact.CompactionRound.LastOfProducer;
import io.strandline.tiering.segment.AbortedTransaction;
import java.security.DigestException;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.storage.internals.log.OffsetMap;
import org.jspecify.annotations.Nullable;

/**
 * What stays of one batch (KIP-58, KIP-98, KIP-534).
 *
 * <ul>
 *   <li>A record stays if it is the last of its key as far as keys were learnt.
 *   <li>A tombstone stays until the delete horizon that its batch got when first compacted, and as
 *       long as the round says for another reason.
 *   <li>Records of aborted transactions go; a marker stays until all batches of its transaction are
 *       gone and then, as a tombstone does, until its horizon.
 *   <li>The last batch of an active producer and the last batch of the round stay, emptied if need
 *       be.
 * </ul>
 */
final class KeepRule extends RecordFilter {
  private final CompactionRound round;
  private final OffsetMap lastOffsets;
  private final TransactionLedger transactions;
  private final List<AbortedTransaction> keptAborted = new ArrayList<>();
  private boolean discardRecords;
  private long keylessRecords;

  KeepRule(CompactionRound round, OffsetMap lastOffsets, TransactionLedger transactions) {
    super(round.nowMs(), round.deleteRetentionMs());
    this.round = round;
    this.lastOffsets = lastOffsets;
    this.transactions = transactions;
  }

  long keylessRecords() {
    return keylessRecords;
  }

  /** Aborted transactions whose marker stays, since last asked. */
  List<AbortedTransaction> takeKeptAborted() {
    List<AbortedTransaction> taken = List.copyOf(keptAborted);
    keptAborted.clear();
    return taken;
  }

  /** Whether nothing of a batch stays, whatever is in it: it need not decode. */
  boolean dropsWhole(RecordBatch batch) {
    return !batch.isControlBatch()
        && transactions.next(batch).discardable()
        && !staysEvenEmpty(batch);
  }

  /** Told of a batch that stays as it is. */
  void passes(RecordBatch batch) {
    AbortedTransaction ended = transactions.pass(batch);
    if (ended != null) {
      keptAborted.add(ended);
    }
  }

  @Override
  public BatchRetentionResult checkBatchRetention(RecordBatch batch) {
    TransactionLedger.Verdict verdict = transactions.next(batch);
    AbortedTransaction kept = verdict.kept();
    if (kept != null) {
      keptAborted.add(kept);
    }
    boolean markerOfNothing = verdict.discardable() && batch.isControlBatch();
    discardRecords = markerOfNothing ? horizonPassed(batch) : verdict.discardable();
    return new BatchRetentionResult(retention(batch), markerOfNothing);
  }

  private BatchRetention retention(RecordBatch batch) {
    if (staysEvenEmpty(batch)) {
      return BatchRetention.RETAIN_EMPTY;
    }
    return discardRecords ? BatchRetention.DELETE : BatchRetention.DELETE_EMPTY;
  }

  private boolean staysEvenEmpty(RecordBatch batch) {
    return isLastOfProducer(batch) || batch.nextOffset() == round.endOffset();
  }

  private boolean isLastOfProducer(RecordBatch batch) {
    @Nullable LastOfProducer last =
        batch.hasProducerId() ? round.lastOfProducers().get(batch.producerId()) : null;
    if (last == null) {
      return false;
    }
    return last.lastDataOffset() >= 0
        ? batch.lastOffset() == last.lastDataOffset()
        : batch.isControlBatch() && batch.producerEpoch() == last.producerEpoch();
  }

  private boolean horizonPassed(RecordBatch batch) {
    return batch.deleteHorizonMs().isPresent()
        && batch.deleteHorizonMs().getAsLong() <= currentTime
        && batch.lastOffset() < round.tombstonesBelow();
  }

  @Override
  public boolean shouldRetainRecord(RecordBatch batch, Record record) {
    if (discardRecords) {
      return false;
    }
    if (batch.isControlBatch() || record.offset() > lastOffsets.latestOffset()) {
      return true;
    }
    if (!record.hasKey()) {
      keylessRecords++;
      return false;
    }
    try {
      boolean last = record.offset() >= lastOffsets.get(record.key());
      return last && (record.hasValue() || !horizonPassed(batch));
    } catch (DigestException e) {
      throw new IllegalStateException(e);
    }
  }
}

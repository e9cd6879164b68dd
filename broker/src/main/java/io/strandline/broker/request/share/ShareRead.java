package io.strandline.broker.request.share;

import io.strandline.broker.log.LogRead;
import io.strandline.broker.partition.PartitionRead;
import io.strandline.broker.share.window.Span;
import io.strandline.replay.ReplayRead;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.message.FetchResponseData.AbortedTransaction;
import org.apache.kafka.common.message.ShareFetchResponseData.AcquiredRecords;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.jspecify.annotations.Nullable;

/**
 * Batches read for a share group, on the heap: who is given which is only known once they are
 * looked at.
 *
 * @param spans the batches in order; perhaps a last one that stands for offsets without records
 */
record ShareRead(MemoryRecords records, List<Span> spans) {

  /** From wherever it is; may fail as the read does. Lets go what was read from. */
  static CompletableFuture<ShareRead> of(PartitionRead read, long offset) {
    if (read instanceof PartitionRead.Hot hot) {
      try (LogRead log = hot.read()) {
        return CompletableFuture.completedFuture(of(log.toMemory(), hot.aborted(), offset, offset));
      }
    }
    if (read instanceof PartitionRead.Old old) {
      return old.read().thenCompose(now -> of(now, offset));
    }
    return ((PartitionRead.Cold) read).read().thenApply(cold -> ofHistory(cold, offset));
  }

  private static ShareRead ofHistory(ReplayRead cold, long offset) {
    try (cold) {
      ByteBuffer copy = ByteBuffer.allocate(cold.sizeBytes());
      cold.slices().forEach(slice -> copy.put(slice.duplicate()));
      List<AbortedTransaction> aborted =
          cold.abortedTransactions().stream()
              .map(
                  range ->
                      new AbortedTransaction()
                          .setProducerId(range.producerId())
                          .setFirstOffset(range.firstOffset()))
              .toList();
      MemoryRecords records = MemoryRecords.readableRecords(copy.flip());
      return of(records, aborted, offset, cold.nextOffset());
    }
  }

  /**
   * @param aborted null or empty when all is to be delivered
   * @param nextOffset up to which the log was looked through at least
   */
  static ShareRead of(
      MemoryRecords records,
      @Nullable List<AbortedTransaction> aborted,
      long offset,
      long nextOffset) {
    List<Span> spans = new ArrayList<>();
    Aborted view = new Aborted(aborted == null ? List.of() : aborted);
    long next = offset;
    for (MutableRecordBatch batch : records.batches()) {
      boolean deliverable = !view.hides(batch) && !batch.isControlBatch();
      spans.add(new Span(batch.baseOffset(), batch.lastOffset(), deliverable));
      next = batch.nextOffset();
    }
    if (next < nextOffset) {
      spans.add(new Span(next, nextOffset - 1, false));
    }
    return new ShareRead(records, spans);
  }

  int sizeBytes() {
    return records.sizeInBytes();
  }

  /** The batches from the first of which something was given to the last. */
  MemoryRecords cut(List<AcquiredRecords> given) {
    long first = given.get(0).firstOffset();
    long last = given.get(given.size() - 1).lastOffset();
    int from = -1;
    int to = 0;
    int position = 0;
    for (MutableRecordBatch batch : records.batches()) {
      int end = position + batch.sizeInBytes();
      if (batch.lastOffset() >= first && batch.baseOffset() <= last) {
        from = from < 0 ? position : from;
        to = end;
      }
      position = end;
    }
    ByteBuffer bytes = records.buffer().duplicate();
    int base = bytes.position();
    ByteBuffer cut = bytes.limit(base + to).position(base + Math.max(0, from)).slice();
    boolean little = cut.remaining() < sizeBytes() / 2;
    return MemoryRecords.readableRecords(little ? copy(cut) : cut);
  }

  /** So that an answer that waits for its client does not keep all that was read. */
  private static ByteBuffer copy(ByteBuffer some) {
    return ByteBuffer.allocate(some.remaining()).put(some).flip();
  }

  /** Which batches are of transactions that were aborted, asked in order (KIP-98). */
  private static final class Aborted {
    private final Queue<AbortedTransaction> ahead;
    private final Set<Long> producers = new HashSet<>();

    Aborted(List<AbortedTransaction> aborted) {
      List<AbortedTransaction> sorted = new ArrayList<>(aborted);
      sorted.sort(Comparator.comparingLong(AbortedTransaction::firstOffset));
      this.ahead = new ArrayDeque<>(sorted);
    }

    boolean hides(MutableRecordBatch batch) {
      for (AbortedTransaction next = ahead.peek();
          next != null && next.firstOffset() <= batch.lastOffset();
          next = ahead.peek()) {
        producers.add(next.producerId());
        ahead.remove();
      }
      if (batch.isControlBatch()) {
        if (ends(batch)) {
          producers.remove(batch.producerId());
        }
        return true;
      }
      return batch.isTransactional() && producers.contains(batch.producerId());
    }

    private static boolean ends(MutableRecordBatch batch) {
      var records = batch.iterator();
      return records.hasNext()
          && ControlRecordType.parse(records.next().key()) == ControlRecordType.ABORT;
    }
  }
}

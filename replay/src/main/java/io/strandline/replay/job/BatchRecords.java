package io.strandline.replay.job;

import io.strandline.replay.ReplayRead;
import io.strandline.replay.decode.ByteRun;
import io.strandline.tiering.segment.BatchBounds;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.CloseableIterator;
import org.apache.kafka.common.utils.Utils;
import org.jspecify.annotations.Nullable;

/**
 * The records of one read, a batch at a time: markers are left out, and so is what was aborted when
 * the read lists it. One thread.
 */
final class BatchRecords {
  private final int partition;
  private final BufferSupplier buffers;
  private final BatchBounds bounds;
  private final Set<Long> aborted = new HashSet<>();
  private final List<ReplayRead.AbortedRange> toCome;

  /**
   * @param buffers of the calling thread
   * @param bounds of each batch
   * @param aborted transactions that overlap the read
   */
  BatchRecords(
      int partition,
      BufferSupplier buffers,
      BatchBounds bounds,
      List<ReplayRead.AbortedRange> aborted) {
    this.partition = partition;
    this.buffers = buffers;
    this.bounds = bounds;
    this.toCome = new ArrayList<>(aborted);
  }

  /** The batches of a read, in order; valid while the read is open. */
  static Iterable<MutableRecordBatch> batches(ReplayRead read) {
    ByteBuffer joined = new ByteRun(read.slices()).joined(0, read.sizeBytes());
    return MemoryRecords.readableRecords(joined).batches();
  }

  /**
   * The batch's records in {@code [fromOffset, endOffset)}, copied.
   *
   * @throws org.apache.kafka.common.InvalidRecordException if it does not decode within bounds
   */
  List<HistoryRecord> of(MutableRecordBatch batch, long fromOffset, long endOffset) {
    toCome.removeIf(t -> t.firstOffset() <= batch.lastOffset() && aborted.add(t.producerId()));
    if (batch.isControlBatch()) {
      if (isAbort(batch)) {
        aborted.remove(batch.producerId());
      }
      return List.of();
    }
    if (batch.isTransactional() && aborted.contains(batch.producerId())) {
      return List.of();
    }
    return bounds.decode(batch, buffers, () -> decode(batch, fromOffset, endOffset));
  }

  private boolean isAbort(MutableRecordBatch batch) {
    return bounds.decode(
        batch,
        buffers,
        () -> {
          try (CloseableIterator<Record> records = batch.streamingIterator(buffers)) {
            return records.hasNext()
                && ControlRecordType.parse(records.next().key()) == ControlRecordType.ABORT;
          }
        });
  }

  private List<HistoryRecord> decode(MutableRecordBatch batch, long fromOffset, long endOffset) {
    List<HistoryRecord> out = new ArrayList<>();
    try (CloseableIterator<Record> records = batch.streamingIterator(buffers)) {
      while (records.hasNext()) {
        Record record = records.next();
        if (record.offset() >= fromOffset && record.offset() < endOffset) {
          out.add(copy(record));
        }
      }
    }
    return out;
  }

  private HistoryRecord copy(Record record) {
    List<HistoryRecord.Header> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      headers.add(new HistoryRecord.Header(header.key(), header.value()));
    }
    return new HistoryRecord(
        partition,
        record.offset(),
        record.timestamp(),
        bytes(record.key()),
        bytes(record.value()),
        headers);
  }

  private static byte @Nullable [] bytes(@Nullable ByteBuffer buffer) {
    return buffer == null ? null : Utils.toArray(buffer);
  }
}

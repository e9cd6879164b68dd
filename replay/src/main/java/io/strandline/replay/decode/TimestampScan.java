package io.strandline.replay.decode;

import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.SegmentFormatException;
import java.util.Optional;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.utils.BufferSupplier;

/**
 * Looks for the first record at or above an offset whose timestamp is at least the one asked.
 * Decompresses only batches whose header says that they reach it.
 */
public final class TimestampScan {
  /** A record found. */
  public record Found(long offset, long timestampMs, int leaderEpoch) {}

  /**
   * How far a scan came.
   *
   * @param found the record, if it is there
   * @param scannedBytes whole batches looked at
   * @param neededBytes length of the run that holds the next batch; 0 at the end of the data
   */
  public record Step(Optional<Found> found, int scannedBytes, int neededBytes) {}

  private final long fromOffset;
  private final long timestampMs;
  private final BatchBounds bounds;

  /**
   * @param bounds of a batch that is looked into
   */
  public TimestampScan(long fromOffset, long timestampMs, BatchBounds bounds) {
    this.fromOffset = fromOffset;
    this.timestampMs = timestampMs;
    this.bounds = bounds;
  }

  /**
   * @param dataBytes from the run's first byte to the end of the segment's data
   * @param segment its first offset and its end
   * @throws SegmentFormatException if the bytes are not batches in order, or damaged
   * @throws InvalidRecordException if a batch that has to be looked into is beyond bounds or does
   *     not decode
   */
  public Step scan(ByteRun run, long dataBytes, BatchCutter.Bounds segment) {
    BatchCutter cutter = new BatchCutter(run, dataBytes, segment);
    long minOffset = segment.fromOffset();
    int at = 0;
    BatchHeader header = cutter.header(at);
    while (header != null && cutter.whole(at, header)) {
      cutter.verify(at, header, minOffset); // passed over too: what it says of its times is checked
      minOffset = header.lastOffset() + 1;
      if (header.maxTimestamp() >= timestampMs && header.lastOffset() >= fromOffset) {
        Optional<Found> found = search(run, at, header);
        if (found.isPresent()) {
          return new Step(found, at, 0);
        }
      }
      at += header.sizeBytes();
      header = cutter.header(at);
    }
    if (at == dataBytes) {
      return new Step(Optional.empty(), at, 0);
    }
    return new Step(
        Optional.empty(), at, at + (header == null ? BatchHeader.BYTES : header.sizeBytes()));
  }

  private Optional<Found> search(ByteRun run, int at, BatchHeader header) {
    MemoryRecords records = MemoryRecords.readableRecords(run.joined(at, at + header.sizeBytes()));
    try {
      MutableRecordBatch batch = records.batches().iterator().next();
      return bounds.decode(batch, BufferSupplier.NO_CACHING, () -> search(batch));
    } catch (InvalidRecordException e) {
      throw new InvalidRecordException(
          "the batch at offset " + header.baseOffset() + " is not decoded: " + e.getMessage(), e);
    }
  }

  private Optional<Found> search(MutableRecordBatch batch) {
    try (var records = batch.skipKeyValueIterator(BufferSupplier.NO_CACHING)) {
      while (records.hasNext()) {
        Record record = records.next();
        if (record.timestamp() >= timestampMs && record.offset() >= fromOffset) {
          return Optional.of(
              new Found(record.offset(), record.timestamp(), batch.partitionLeaderEpoch()));
        }
      }
      return Optional.empty();
    }
  }
}

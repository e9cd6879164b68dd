package io.strandline.broker.log.segment;

import io.strandline.tiering.segment.BatchBounds;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.Optional;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.errors.CorruptRecordException;
import org.apache.kafka.common.record.internal.MutableRecordBatch;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;

/**
 * Finds batches in a segment by offset, size and time. For one call of one thread, which holds the
 * segment; sees the end as it was at construction.
 */
public final class SegmentReader {
  /** Fields up to the last offset's delta. */
  private static final int FRAME_BYTES = 27;

  private static final int LAST_DELTA_POSITION = 23;
  private static final int WINDOW_BYTES = 4096;

  /** Headers are looked at on the way to a sendfile; the bytes go through the kernel only. */
  private static final ThreadLocal<ByteBuffer> WINDOW =
      ThreadLocal.withInitial(() -> ByteBuffer.allocateDirect(WINDOW_BYTES));

  private final LogSegment segment;
  private final LogSegment.End end;
  private final FileChannel channel;
  private final ByteBuffer window = WINDOW.get();
  private long windowPosition = -1;
  private int batchBytes;
  private long batchBase;
  private long batchLast;

  public SegmentReader(LogSegment segment) throws IOException {
    this.segment = segment;
    this.end = segment.end();
    this.channel = segment.channel();
  }

  /** Whole batches of a file. */
  public record Region(int positionBytes, int sizeBytes, long nextOffset) {}

  /** A record found by its timestamp. */
  public record Found(long offset, long timestampMs, int leaderEpoch) {}

  /**
   * Where the first batch begins that ends at or above the offset; the segment's size if there is
   * none.
   */
  public int positionOf(long offset) throws IOException {
    if (offset >= end.nextOffset()) {
      return end.sizeBytes();
    }
    long entry = segment.offsets().floorOffset(offset - segment.baseOffset());
    int position = entry == OffsetIndex.NONE ? 0 : within(OffsetIndex.position(entry));
    while (position < end.sizeBytes()) {
      frame(position);
      if (batchLast >= offset) {
        return position;
      }
      position += batchBytes;
    }
    return position;
  }

  /** Where the batch begins that holds the offset and one below it; the offset if there is none. */
  public long boundaryAt(long offset) throws IOException {
    int position = positionOf(offset);
    return position < end.sizeBytes() && batchBase < offset
        ? Math.max(batchBase, segment.baseOffset())
        : offset;
  }

  /**
   * Batches from the one that holds the offset, or follows it, on.
   *
   * @param upperBoundOffset all batches end below it
   * @return size 0 when none fits
   */
  public Region region(long offset, int maxBytes, long upperBoundOffset, boolean atLeastOneBatch)
      throws IOException {
    int start = positionOf(offset);
    if (start == end.sizeBytes()) {
      return new Region(start, 0, offset);
    }
    int limit = (int) Math.min((long) start + maxBytes, end.sizeBytes());
    if (limit == end.sizeBytes() && end.nextOffset() <= upperBoundOffset) {
      return new Region(start, limit - start, end.nextOffset());
    }
    int position = skipAhead(start, limit, upperBoundOffset);
    long next = offset;
    while (position < end.sizeBytes()) {
      frame(position);
      boolean fits =
          position + (long) batchBytes <= limit || (position == start && atLeastOneBatch);
      if (!fits || batchLast >= upperBoundOffset) {
        next = Math.max(next, position == start ? offset : batchBase);
        break;
      }
      next = batchLast + 1;
      position += batchBytes;
    }
    return new Region(start, position - start, next);
  }

  /** A batch not behind the region's end, found by the index. */
  private int skipAhead(int start, int limit, long upperBoundOffset) throws IOException {
    OffsetIndex offsets = segment.offsets();
    long entry =
        Math.min(
            offsets.floorPosition(limit),
            offsets.floorOffset(upperBoundOffset - 1 - segment.baseOffset()));
    return entry == OffsetIndex.NONE ? start : Math.max(start, within(OffsetIndex.position(entry)));
  }

  /** An index that was read from a file may say anything. */
  private int within(int position) {
    if (position < 0 || position > end.sizeBytes()) {
      throw new CorruptRecordException("the index points to " + position + " of " + segment);
    }
    return position;
  }

  /**
   * The first record at or above the offset whose timestamp is at least the one asked for.
   *
   * @param bounds of the batch that is decoded
   * @throws InvalidRecordException if that batch is beyond them or does not decode
   */
  public Optional<Found> firstReaching(long timestampMs, long fromOffset, BatchBounds bounds)
      throws IOException {
    long reached = segment.baseOffset() + segment.times().floor(timestampMs).relativeOffset();
    int position = positionOf(Math.max(reached, fromOffset));
    BatchScanner scanner = new BatchScanner(channel, position, end.sizeBytes());
    for (MutableRecordBatch batch = scanner.next(); batch != null; batch = scanner.next()) {
      if (batch.maxTimestamp() >= timestampMs && batch.lastOffset() >= fromOffset) {
        Optional<Found> found = firstReaching(batch, timestampMs, fromOffset, bounds);
        if (found.isPresent()) {
          return found;
        }
      }
    }
    return Optional.empty();
  }

  /** What the fast path took without looking inside may turn out not to decode. */
  private Optional<Found> firstReaching(
      MutableRecordBatch batch, long timestampMs, long fromOffset, BatchBounds bounds) {
    try {
      return bounds.decode(
          batch,
          BufferSupplier.NO_CACHING,
          () -> {
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
          });
    } catch (InvalidRecordException e) {
      throw new InvalidRecordException(
          "the batch at offset " + batch.lastOffset() + " of " + segment + " is not decoded", e);
    }
  }

  /** Reads the header of the batch at the position. */
  private void frame(int position) throws IOException {
    int at = (int) (position - windowPosition);
    if (windowPosition < 0 || position < windowPosition || at + FRAME_BYTES > window.limit()) {
      window.clear();
      Channels.readUpTo(channel, window, position);
      window.flip();
      windowPosition = position;
      at = 0;
      if (window.limit() < FRAME_BYTES) {
        throw new CorruptRecordException("no batch at " + position + " of " + segment);
      }
    }
    batchBase = window.getLong(at);
    batchBytes = window.getInt(at + 8) + BatchScanner.PREFIX_BYTES;
    boolean legacy = window.get(at + BatchScanner.MAGIC_POSITION) < RecordBatch.MAGIC_VALUE_V2;
    batchLast = legacy ? batchBase : batchBase + window.getInt(at + LAST_DELTA_POSITION);
    if (batchBytes <= BatchScanner.PREFIX_BYTES || position + (long) batchBytes > end.sizeBytes()) {
      throw new CorruptRecordException("broken batch at " + position + " of " + segment);
    }
  }
}

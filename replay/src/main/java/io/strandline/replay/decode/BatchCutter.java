package io.strandline.replay.decode;

import io.strandline.tiering.segment.BatchHeader;
import io.strandline.tiering.segment.SegmentFormatException;
import org.jspecify.annotations.Nullable;

/**
 * Finds whole batches in a run of a segment's data that begins with a batch. Every batch it gives
 * out or passes over has a checksum that holds, lies after the one before and before the one
 * behind, as far as the run shows them, and within its segment's offsets. A batch's checksum does
 * not cover its base offset (KIP-98): where that is damaged, only its place tells.
 */
public final class BatchCutter {
  /** The part of a batch that its checksum covers begins here (KIP-98). */
  private static final int CHECKED_FROM = 21;

  /**
   * What to cut.
   *
   * @param offset the first batch taken is the first that does not end below it
   * @param endOffset no batch is taken that begins at or above it
   * @param maxBytes at most so many bytes, but for a first batch if {@code atLeastOne}
   */
  public record Limits(long offset, long endOffset, int maxBytes, boolean atLeastOne) {}

  /**
   * Where batches of a run may lie.
   *
   * @param fromOffset none begins below
   * @param endOffset all end at or below: the segment's end
   */
  public record Bounds(long fromOffset, long endOffset) {}

  private final ByteRun run;
  private final long dataBytes;
  private final Bounds bounds;

  /**
   * @param dataBytes from the run's first byte to the end of the segment's data
   */
  public BatchCutter(ByteRun run, long dataBytes, Bounds bounds) {
    this.run = run;
    this.dataBytes = dataBytes;
    this.bounds = bounds;
  }

  /**
   * @throws SegmentFormatException if the bytes are not batches in order, or damaged
   */
  public BatchCut cut(Limits limits) {
    int from = 0;
    long minOffset = bounds.fromOffset;
    BatchHeader header = header(from);
    while (header != null && header.lastOffset() < limits.offset && whole(from, header)) {
      verify(from, header, minOffset);
      minOffset = header.lastOffset() + 1;
      from += header.sizeBytes();
      header = header(from);
    }
    if (header == null || header.lastOffset() < limits.offset) {
      return none(from, header, limits.offset);
    }
    boolean fits = header.sizeBytes() <= limits.maxBytes || limits.atLeastOne;
    if (header.baseOffset() >= limits.endOffset || !fits) {
      return new BatchCut(from, from, limits.offset, 0, false);
    }
    if (!whole(from, header)) {
      return none(from, header, limits.offset);
    }
    return take(from, header, minOffset, limits);
  }

  private BatchCut take(int from, BatchHeader first, long minOffset, Limits limits) {
    int to = from;
    long nextOffset = minOffset;
    BatchHeader header = first;
    while (header != null
        && whole(to, header)
        && header.baseOffset() < limits.endOffset
        && (to == from || to + header.sizeBytes() - from <= limits.maxBytes)) {
      follows(header, nextOffset);
      if (!sound(to, header)) {
        if (to == from) {
          throw damaged(header);
        }
        // What lies before the damage is given first; who reads on is told.
        return new BatchCut(from, to, nextOffset, 0, false);
      }
      nextOffset = header.lastOffset() + 1;
      to += header.sizeBytes();
      header = header(to);
    }
    if (header != null) {
      follows(header, nextOffset);
    }
    return new BatchCut(from, to, nextOffset, 0, to == dataBytes);
  }

  private BatchCut none(int at, @Nullable BatchHeader header, long offset) {
    if (at == dataBytes) {
      return new BatchCut(at, at, offset, 0, true);
    }
    int needed = at + (header == null ? BatchHeader.BYTES : header.sizeBytes());
    return new BatchCut(at, at, offset, needed, false);
  }

  /** Checks one batch that the run holds whole. */
  void verify(int at, BatchHeader header, long minOffset) {
    follows(header, minOffset);
    if (!sound(at, header)) {
      throw damaged(header);
    }
  }

  private static SegmentFormatException damaged(BatchHeader header) {
    return new SegmentFormatException("the batch at offset " + header.baseOffset() + " is damaged");
  }

  private boolean sound(int at, BatchHeader header) {
    return run.crc32c(at + CHECKED_FROM, at + header.sizeBytes()) == header.crc32c();
  }

  private static void follows(BatchHeader header, long minOffset) {
    if (header.baseOffset() < minOffset) {
      throw new SegmentFormatException(
          "a batch at offset " + header.baseOffset() + " follows one up to " + minOffset);
    }
  }

  boolean whole(int at, BatchHeader header) {
    return at + (long) header.sizeBytes() <= run.lengthBytes();
  }

  /** The header at a place, or null when the run or the data ends before it does. */
  @Nullable BatchHeader header(int at) {
    if (at == dataBytes) {
      return null;
    }
    if (at + (long) BatchHeader.BYTES > dataBytes) {
      throw new SegmentFormatException("the data ends within a batch header");
    }
    if (at + BatchHeader.BYTES > run.lengthBytes()) {
      return null;
    }
    BatchHeader header = BatchHeader.parse(run.joined(at, at + BatchHeader.BYTES));
    if (at + (long) header.sizeBytes() > dataBytes) {
      throw new SegmentFormatException("the data ends within a batch");
    }
    if (header.lastOffset() >= bounds.endOffset) {
      throw new SegmentFormatException(
          "a batch of offsets "
              + header.baseOffset()
              + " to "
              + header.lastOffset()
              + " in a segment that ends at "
              + bounds.endOffset);
    }
    return header;
  }
}

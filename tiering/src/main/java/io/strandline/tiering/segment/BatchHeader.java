package io.strandline.tiering.segment;

import java.nio.ByteBuffer;

/**
 * The fixed-size beginning of a record batch of magic 2 (KIP-98), as far as the tier looks at it.
 *
 * @param sizeBytes of the whole batch, this header included
 * @param crc32c of everything from the attributes on
 * @param maxTimestamp in ms, or -1
 */
public record BatchHeader(
    long baseOffset,
    long lastOffset,
    int sizeBytes,
    int leaderEpoch,
    int crc32c,
    short attributes,
    long maxTimestamp,
    int recordCount) {
  /** Length of a header. */
  public static final int BYTES = 61;

  /** Where the bytes begin that the checksum covers. */
  static final int CHECKED_FROM = 21;

  private static final int PREFIX_BYTES = 12;
  private static final int EPOCH_AT = 12;
  private static final int MAGIC_AT = 16;

  /**
   * A copy of whole batches in another leader epoch, which their checksums do not cover.
   *
   * @throws SegmentFormatException if these bytes are no batches
   */
  public static ByteBuffer inEpoch(ByteBuffer batches, int leaderEpoch) {
    ByteBuffer copy = ByteBuffer.allocate(batches.remaining()).put(batches.duplicate()).flip();
    int at = 0;
    while (at < copy.limit()) {
      copy.position(at);
      int sizeBytes = parse(copy).sizeBytes();
      copy.putInt(at + EPOCH_AT, leaderEpoch);
      at += sizeBytes;
    }
    return copy.position(0);
  }

  /**
   * Reads the header at the buffer's position, which does not move.
   *
   * @throws SegmentFormatException if these bytes are not one
   */
  public static BatchHeader parse(ByteBuffer buffer) {
    int at = buffer.position();
    if (buffer.remaining() < BYTES) {
      throw new SegmentFormatException("a batch header is cut at " + buffer.remaining() + " bytes");
    }
    byte magic = buffer.get(at + MAGIC_AT);
    if (magic != 2) {
      throw new SegmentFormatException("a batch has magic " + magic + ", only 2 can be tiered");
    }
    long baseOffset = buffer.getLong(at);
    int length = buffer.getInt(at + 8);
    int lastOffsetDelta = buffer.getInt(at + 23);
    int recordCount = buffer.getInt(at + 57);
    if (length < BYTES - PREFIX_BYTES
        || length > Integer.MAX_VALUE - PREFIX_BYTES
        || baseOffset < 0
        || lastOffsetDelta < 0
        || baseOffset > Long.MAX_VALUE - 1 - lastOffsetDelta
        || recordCount < 0) {
      throw new SegmentFormatException(
          "not a batch: base offset "
              + baseOffset
              + ", length "
              + length
              + ", last offset delta "
              + lastOffsetDelta
              + ", "
              + recordCount
              + " records");
    }
    return new BatchHeader(
        baseOffset,
        baseOffset + lastOffsetDelta,
        length + PREFIX_BYTES,
        buffer.getInt(at + 12),
        buffer.getInt(at + 17),
        buffer.getShort(at + CHECKED_FROM),
        buffer.getLong(at + 35),
        recordCount);
  }
}

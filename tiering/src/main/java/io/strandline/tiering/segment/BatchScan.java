package io.strandline.tiering.segment;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * Walks batches that arrive in pieces of any size: checks that they follow each other, ascend and
 * have the bytes that their checksums tell. Holds one header, never a batch. One thread.
 */
public final class BatchScan {
  /** Told of each batch once all of it has been seen and its checksum holds. */
  @FunctionalInterface
  public interface Visitor {
    /**
     * @param positionBytes where the batch begins, counted from the first byte fed
     */
    void batch(BatchHeader header, long positionBytes);
  }

  private final Visitor visitor;
  private final ByteBuffer head = ByteBuffer.allocate(BatchHeader.BYTES);
  private final CRC32C crc = new CRC32C();
  private @Nullable BatchHeader current;
  private long positionBytes;
  private int remainingBytes;
  private long nextOffset;
  private final long limitOffset;

  /**
   * @param fromOffset no batch may begin below
   * @param limitOffset no batch may reach it
   */
  public BatchScan(long fromOffset, long limitOffset, Visitor visitor) {
    this.nextOffset = fromOffset;
    this.limitOffset = limitOffset;
    this.visitor = visitor;
  }

  /**
   * Takes all bytes of the piece.
   *
   * @throws SegmentFormatException if what has been seen so far is not a run of sound batches
   */
  public void feed(ByteBuffer piece) {
    while (piece.hasRemaining()) {
      BatchHeader header = current;
      if (header == null) {
        takeHead(piece);
      } else {
        takeBody(header, piece);
      }
    }
  }

  /**
   * @throws SegmentFormatException if a batch is cut at the end
   */
  public void finish() {
    if (current != null || head.position() > 0) {
      throw new SegmentFormatException("the batch at " + positionBytes + " is cut");
    }
  }

  private void takeHead(ByteBuffer piece) {
    int n = Math.min(piece.remaining(), head.remaining());
    head.put(piece.slice(piece.position(), n));
    piece.position(piece.position() + n);
    if (head.hasRemaining()) {
      return;
    }
    head.flip();
    BatchHeader header = BatchHeader.parse(head);
    if (header.baseOffset() < nextOffset || header.lastOffset() >= limitOffset) {
      throw new SegmentFormatException(
          "the batch at "
              + positionBytes
              + " covers "
              + header.baseOffset()
              + " to "
              + header.lastOffset()
              + ", expected within "
              + nextOffset
              + " to "
              + limitOffset);
    }
    crc.reset();
    crc.update(head.position(BatchHeader.CHECKED_FROM));
    head.clear();
    remainingBytes = header.sizeBytes() - BatchHeader.BYTES;
    current = header;
    endIfComplete(header);
  }

  private void takeBody(BatchHeader header, ByteBuffer piece) {
    int n = Math.min(piece.remaining(), remainingBytes);
    crc.update(piece.slice(piece.position(), n));
    piece.position(piece.position() + n);
    remainingBytes -= n;
    endIfComplete(header);
  }

  private void endIfComplete(BatchHeader header) {
    if (remainingBytes > 0) {
      return;
    }
    if ((int) crc.getValue() != header.crc32c()) {
      throw new SegmentFormatException(
          "the batch at " + positionBytes + " of offset " + header.baseOffset() + " is damaged");
    }
    current = null;
    visitor.batch(header, positionBytes);
    positionBytes += header.sizeBytes();
    nextOffset = header.lastOffset() + 1;
  }
}

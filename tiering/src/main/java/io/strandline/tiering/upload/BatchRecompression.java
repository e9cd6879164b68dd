package io.strandline.tiering.upload;

import io.strandline.tiering.segment.BatchBounds;
import io.strandline.tiering.segment.BatchHeader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.zip.CRC32C;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/**
 * Compresses batches again. What a batch says stays byte by byte: its records as they are without
 * compression, and its header but for length, codec and checksum.
 *
 * <p>Left as they are: control batches, what zstd has compressed already, what would not become
 * shorter, and what does not decode or is damaged, for others to find. One thread.
 */
public final class BatchRecompression {
  private static final int LENGTH_AT = 8;
  private static final int CRC_AT = 17;
  private static final int ATTRIBUTES_AT = 21;
  private static final int PREFIX_BYTES = 12;
  private static final int CODEC_MASK = 0x07;
  private static final int CONTROL_BIT = 0x20;

  private final Compression zstd;
  private final BatchBounds bounds;
  private final BufferSupplier buffers = BufferSupplier.create();

  /**
   * @param level of zstd
   * @param bounds batches beyond them stay as they are
   */
  public BatchRecompression(int level, BatchBounds bounds) {
    this.zstd = Compression.zstd().level(level).build();
    this.bounds = bounds;
  }

  /**
   * The batch again, if it is shorter.
   *
   * @param batch one whole batch, from position to limit, which do not move
   * @throws io.strandline.tiering.segment.SegmentFormatException if it does not begin as one
   */
  public Optional<ByteBuffer> shorter(ByteBuffer batch) {
    BatchHeader header = BatchHeader.parse(batch);
    int codec = header.attributes() & CODEC_MASK;
    if ((header.attributes() & CONTROL_BIT) != 0
        || codec == CompressionType.ZSTD.id
        || header.recordCount() == 0
        || crc(batch) != header.crc32c()) {
      return Optional.empty();
    }
    try {
      ByteBuffer records = bounds.records(batch, buffers);
      ByteBuffer again = compressed(batch, records);
      return again.remaining() < batch.remaining() ? Optional.of(again) : Optional.empty();
    } catch (ApiException undecodable) {
      return Optional.empty();
    }
  }

  private ByteBuffer compressed(ByteBuffer batch, ByteBuffer records) {
    ByteBufferOutputStream out = new ByteBufferOutputStream(batch.remaining());
    out.position(BatchHeader.BYTES);
    try (OutputStream into = zstd.wrapForOutput(out, RecordBatch.MAGIC_VALUE_V2)) {
      into.write(records.array(), records.arrayOffset() + records.position(), records.remaining());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ByteBuffer made = out.buffer().flip();
    made.put(0, batch, batch.position(), BatchHeader.BYTES);
    made.putInt(LENGTH_AT, made.limit() - PREFIX_BYTES);
    int attributes = (made.getShort(ATTRIBUTES_AT) & ~CODEC_MASK) | CompressionType.ZSTD.id;
    made.putShort(ATTRIBUTES_AT, (short) attributes);
    made.putInt(CRC_AT, crc(made));
    return made;
  }

  private static int crc(ByteBuffer batch) {
    CRC32C crc = new CRC32C();
    crc.update(batch.duplicate().position(batch.position() + ATTRIBUTES_AT));
    return (int) crc.getValue();
  }
}

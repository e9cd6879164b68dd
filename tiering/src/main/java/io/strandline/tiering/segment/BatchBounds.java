package io.strandline.tiering.segment;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.NoSuchElementException;
import java.util.function.Supplier;
import org.apache.kafka.common.InvalidRecordException;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.errors.ApiException;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecordBatch;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.utils.BufferSupplier;
import org.apache.kafka.common.utils.ByteUtils;

/**
 * Decoding of what a client wrote, with one error and within bounds.
 *
 * <p>Kafka's decoders allocate what a record claims to be long before they look whether it is, and
 * gather as many records as the header counts; Snappy's does the same with its blocks: a batch of a
 * hundred bytes can ask for gigabytes. So a compressed batch is walked first, from length to
 * length, keeping nothing. Threads: any.
 *
 * @param decodedBytesMax of a compressed batch's records together
 * @param recordsMax of a compressed batch
 */
public record BatchBounds(int decodedBytesMax, int recordsMax) {

  private static final int SNAPPY_FRAMED = 0x8253_4e41;
  private static final int SNAPPY_HEADER_BYTES = 16;

  /** Three bytes of a Snappy block give at most 64. */
  private static final int SNAPPY_GAIN_MAX = 22;

  public BatchBounds {
    if (decodedBytesMax <= 0 || recordsMax <= 0) {
      throw new IllegalArgumentException(decodedBytesMax + " bytes, " + recordsMax + " records");
    }
  }

  /**
   * 100 MiB, which an uncompressed request of Kafka's default limit could have carried, and 262,144
   * records: more make more objects than decoders should hold.
   */
  public static BatchBounds defaults() {
    return new BatchBounds(100 << 20, 1 << 18);
  }

  /**
   * Looks whether the batch can be decoded within the bounds, and decodes it. The look costs a
   * decompression; nothing for a batch that is not compressed.
   *
   * @param buffers of the calling thread
   * @throws InvalidRecordException if the batch is beyond the bounds or does not decode
   */
  public <T> T decode(RecordBatch batch, BufferSupplier buffers, Supplier<T> decoding) {
    return withOneError(
        () -> {
          if (batch instanceof DefaultRecordBatch known && known.isCompressed()) {
            require(known, buffers);
          }
          return decoding.get();
        });
  }

  /**
   * The records of a batch as they are without compression: as many as its header says and nothing
   * else, within the bounds.
   *
   * @param batch one whole batch from position to limit, which do not move
   * @param buffers of the calling thread
   * @return on the heap
   * @throws InvalidRecordException if the batch is beyond the bounds or does not decode
   */
  public ByteBuffer records(ByteBuffer batch, BufferSupplier buffers) {
    return withOneError(
        () -> {
          DefaultRecordBatch known =
              (DefaultRecordBatch)
                  MemoryRecords.readableRecords(batch.duplicate()).batches().iterator().next();
          int count = requireCount(known);
          if (known.compressionType() == CompressionType.SNAPPY) {
            requireBlocks(known);
          }
          try (InputStream compressed = known.recordInputStream(buffers)) {
            byte[] records = compressed.readNBytes(decodedBytesMax);
            InputStream in = new ByteArrayInputStream(records);
            walk(in, count);
            if (in.available() > 0 || compressed.read() >= 0) {
              throw new InvalidRecordException("bytes are left behind the last record");
            }
            return ByteBuffer.wrap(records);
          } catch (IOException e) {
            throw new InvalidRecordException("a batch that its codec cannot read: " + e, e);
          }
        });
  }

  private static <T> T withOneError(Supplier<T> decoding) {
    try {
      return decoding.get();
    } catch (ApiException told) {
      throw told;
    } catch (KafkaException
        | IllegalArgumentException
        | IllegalStateException
        | UnsupportedOperationException
        | IndexOutOfBoundsException
        | NegativeArraySizeException
        | NoSuchElementException
        | NullPointerException
        | BufferUnderflowException e) {
      throw new InvalidRecordException("a batch does not decode: " + e, e);
    }
  }

  private void require(DefaultRecordBatch batch, BufferSupplier buffers) {
    int count = requireCount(batch);
    if (batch.compressionType() == CompressionType.SNAPPY) {
      requireBlocks(batch);
    }
    try (InputStream records = batch.recordInputStream(buffers)) {
      walk(records, count);
    } catch (IOException e) {
      throw new InvalidRecordException("a batch that its codec cannot read: " + e, e);
    }
  }

  private int requireCount(DefaultRecordBatch batch) {
    Integer count = batch.countOrNull();
    if (count == null || count < 0 || count > recordsMax) {
      throw new InvalidRecordException("a batch of " + count + " records");
    }
    return count;
  }

  private void walk(InputStream records, int count) throws IOException {
    long left = decodedBytesMax;
    for (int i = 0; i < count; i++) {
      int length = ByteUtils.readVarint(records);
      left -= ByteUtils.sizeOfVarint(length) + (long) length;
      if (length < 0 || left < 0) {
        throw new InvalidRecordException(
            "a record of " + length + " bytes, or more than " + decodedBytesMax + " in all");
      }
      records.skipNBytes(length);
    }
  }

  /** Framed as Java's library writes it, or one bare block as others do. */
  private static void requireBlocks(DefaultRecordBatch batch) {
    ByteBuffer bytes = ByteBuffer.allocate(batch.sizeInBytes());
    batch.writeTo(bytes);
    bytes.flip().position(BatchHeader.BYTES);
    if (bytes.remaining() < Integer.BYTES || bytes.getInt(bytes.position()) != SNAPPY_FRAMED) {
      requireBlock(bytes);
      return;
    }
    while (bytes.hasRemaining()) {
      int length = bytes.getInt();
      if (length == SNAPPY_FRAMED) {
        bytes.position(bytes.position() + SNAPPY_HEADER_BYTES - Integer.BYTES);
      } else {
        requireBlock(bytes.slice(bytes.position(), length));
        bytes.position(bytes.position() + length);
      }
    }
  }

  private static void requireBlock(ByteBuffer block) {
    int claimed = ByteUtils.readUnsignedVarint(block.duplicate());
    if (claimed < 0 || claimed > (long) SNAPPY_GAIN_MAX * block.remaining()) {
      throw new InvalidRecordException(
          "a block of " + block.remaining() + " bytes claims to hold " + claimed);
    }
  }
}

package io.strandline.broker.request.data;

import java.nio.ByteBuffer;
import java.util.List;
import org.apache.kafka.common.record.internal.CompressionType;

/**
 * What a client of some age can decode. Batches may be compressed otherwise than their producer
 * did, on their way to the tier; a client older than zstd (KIP-110) must be told so. What a
 * producer chose is given to whoever asks, as in Kafka.
 */
final class OldCodecs {
  private static final short ZSTD_SINCE = 10;
  private static final int LENGTH_AT = 8;
  private static final int PREFIX_BYTES = 12;
  private static final int CODEC_AT = 22;
  private static final int CODEC_MASK = 0x07;

  private OldCodecs() {}

  /** Whether clients that fetch with this version may know nothing of zstd. */
  static boolean olderThanZstd(short fetchVersion) {
    return fetchVersion < ZSTD_SINCE;
  }

  /**
   * Whether any of these batches is compressed by it.
   *
   * @param slices whole batches, cut anywhere
   */
  static boolean zstd(List<ByteBuffer> slices) {
    long bytes = slices.stream().mapToLong(ByteBuffer::remaining).sum();
    long at = 0;
    while (at + CODEC_AT < bytes) {
      if ((byteAt(slices, at + CODEC_AT) & CODEC_MASK) == CompressionType.ZSTD.id) {
        return true;
      }
      int length = 0;
      for (int i = 0; i < Integer.BYTES; i++) {
        length = length << Byte.SIZE | byteAt(slices, at + LENGTH_AT + i);
      }
      at += PREFIX_BYTES + Math.max(0, length);
    }
    return false;
  }

  private static int byteAt(List<ByteBuffer> slices, long position) {
    long left = position;
    for (ByteBuffer slice : slices) {
      if (left < slice.remaining()) {
        return slice.get(slice.position() + (int) left) & 0xff;
      }
      left -= slice.remaining();
    }
    throw new IndexOutOfBoundsException("no byte " + position);
  }
}

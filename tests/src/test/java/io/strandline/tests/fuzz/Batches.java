package io.strandline.tests.fuzz;

import java.io.ByteArrayOutputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Random;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.DefaultRecord;
import org.apache.kafka.common.utils.ByteBufferOutputStream;

/**
 * Record batches (magic 2) whose header and records say what chance wants, with a checksum that
 * holds: damage lies within, also under a codec.
 */
final class Batches {
  static final int HEADER_BYTES = 61;

  /** What a batch may cost that is decoded within its bounds: an object for each record. */
  static final FuzzTarget.Allowance DECODED = new FuzzTarget.Allowance(128, 128 << 20);

  private static final int CHECKED_FROM = 21;
  private static final int SUM_AT = 17;

  private Batches() {}

  /** What a batch begins with. */
  record Place(long baseOffset, int leaderEpoch, long timestampMs) {}

  static byte[] any(Place place, Random chance) {
    int count = 1 + chance.nextInt(12);
    byte[] plain = records(count, chance);
    if (chance.nextInt(4) == 0) {
      plain = Mutations.some(plain, chance);
    }
    if (chance.nextInt(1000) == 0) {
      plain = bomb(chance);
    }
    CompressionType codec = CompressionType.values()[chance.nextInt(5)];
    byte[] body = codec == CompressionType.NONE ? plain : compressed(plain, codec);
    ByteBuffer batch = ByteBuffer.allocate(HEADER_BYTES + body.length);
    batch.putLong(place.baseOffset()).putInt(batch.capacity() - 12).putInt(place.leaderEpoch());
    batch.put((byte) 2).putInt(0).putShort(attributes(codec, chance)).putInt(count - 1);
    batch.putLong(place.timestampMs()).putLong(place.timestampMs() + count - 1);
    boolean producer = chance.nextInt(3) == 0;
    batch.putLong(producer ? chance.nextInt(5) : -1).putShort((short) (producer ? 0 : -1));
    batch.putInt(producer ? chance.nextInt(3) : -1).putInt(count).put(body);
    byte[] bytes = batch.array();
    if (chance.nextInt(4) == 0) {
      Mutations.inPlace(bytes, CHECKED_FROM, HEADER_BYTES, chance);
    }
    if (chance.nextInt(8) == 0) {
      Mutations.inPlace(bytes, HEADER_BYTES, bytes.length, chance);
    }
    Crc.mend(bytes, CHECKED_FROM, bytes.length, SUM_AT);
    return bytes;
  }

  private static short attributes(CompressionType codec, Random chance) {
    int flags = 0;
    if (chance.nextInt(10) == 0) {
      flags = (chance.nextInt() & 0x7f) & ~7;
    }
    return (short) (codec.id | flags);
  }

  /** Frames as the format has them, timestamps rising by one. */
  private static byte[] records(int count, Random chance) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      for (int i = 0; i < count; i++) {
        Header[] headers = new Header[chance.nextInt(3)];
        for (int h = 0; h < headers.length; h++) {
          headers[h] = new RecordHeader("h" + h, bytes(chance, 10));
        }
        ByteBuffer key = chance.nextInt(3) == 0 ? null : ByteBuffer.wrap(bytes(chance, 8));
        ByteBuffer value = chance.nextInt(5) == 0 ? null : ByteBuffer.wrap(bytes(chance, 60));
        DefaultRecord.writeTo(out, i, i, key, value, headers);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  private static byte[] bytes(Random chance, int limit) {
    byte[] bytes = new byte[chance.nextInt(limit)];
    chance.nextBytes(bytes);
    return bytes;
  }

  /** Little under a codec, much without. */
  private static byte[] bomb(Random chance) {
    byte[] bytes = new byte[(4 + chance.nextInt(28)) << 20];
    if (chance.nextBoolean()) {
      // Records of seven bytes, all alike: length 6, and attributes, times, offsets, nulls of zero.
      for (int at = 0; at + 7 <= bytes.length; at += 7) {
        bytes[at] = 12;
      }
    }
    return bytes;
  }

  private static byte[] compressed(byte[] plain, CompressionType codec) {
    ByteBufferOutputStream out = new ByteBufferOutputStream(Math.max(512, plain.length / 8));
    try (OutputStream stream = Compression.of(codec).build().wrapForOutput(out, (byte) 2)) {
      stream.write(plain);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    ByteBuffer buffer = out.buffer().flip();
    byte[] bytes = new byte[buffer.remaining()];
    buffer.get(bytes);
    return bytes;
  }
}

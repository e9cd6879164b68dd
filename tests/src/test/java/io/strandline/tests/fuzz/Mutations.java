package io.strandline.tests.fuzz;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.Random;

/** Damage to bytes, of the kinds that decoders are known to fall for. */
final class Mutations {
  private static final long[] EXTREMES = {
    0,
    1,
    -1,
    -2,
    Byte.MAX_VALUE,
    0x80,
    0xff,
    Short.MAX_VALUE,
    Short.MIN_VALUE,
    Integer.MAX_VALUE,
    Integer.MIN_VALUE,
    Integer.MAX_VALUE - 12,
    1L << 32,
    Long.MAX_VALUE,
    Long.MIN_VALUE
  };

  private Mutations() {}

  /** Often none, seldom many. */
  static byte[] some(byte[] bytes, Random chance) {
    byte[] out = bytes.clone();
    int count = Math.max(0, chance.nextInt(6) - 1);
    for (int i = 0; i < count && out.length > 0; i++) {
      out = one(out, chance, true);
    }
    return out;
  }

  /** As {@link #some}, but of the same length and within a range. */
  static void inPlace(byte[] bytes, int from, int to, Random chance) {
    int count = chance.nextInt(4);
    for (int i = 0; i < count && to > from; i++) {
      byte[] part = one(Arrays.copyOfRange(bytes, from, to), chance, false);
      System.arraycopy(part, 0, bytes, from, part.length);
    }
  }

  static long extreme(Random chance) {
    long extreme = EXTREMES[chance.nextInt(EXTREMES.length)];
    return chance.nextInt(4) == 0 ? extreme + chance.nextInt(5) - 2 : extreme;
  }

  private static byte[] one(byte[] bytes, Random chance, boolean mayResize) {
    int at = chance.nextInt(bytes.length);
    switch (chance.nextInt(mayResize ? 10 : 6)) {
      case 0, 1 -> bytes[at] ^= (byte) (1 << chance.nextInt(8));
      case 2 -> bytes[at] = (byte) chance.nextInt();
      case 3 -> put(bytes, at, Integer.BYTES, chance);
      case 4 -> put(bytes, at, chance.nextBoolean() ? Long.BYTES : Short.BYTES, chance);
      case 5 -> varint(bytes, at, chance);
      case 6 -> {
        return Arrays.copyOf(bytes, at);
      }
      case 7 -> {
        return splice(bytes, at, at, chance); // a stretch once more
      }
      case 8 -> {
        return splice(bytes, at, Math.min(bytes.length, at + 1 + chance.nextInt(64)), chance);
      }
      default -> {
        return Arrays.copyOf(bytes, bytes.length + 1 + chance.nextInt(32));
      }
    }
    return bytes;
  }

  /** Replaces a range by a stretch from somewhere else. */
  private static byte[] splice(byte[] bytes, int from, int to, Random chance) {
    int source = chance.nextInt(bytes.length);
    int length = Math.min(chance.nextInt(64), bytes.length - source);
    ByteBuffer out = ByteBuffer.allocate(bytes.length - (to - from) + length);
    out.put(bytes, 0, from).put(bytes, source, length).put(bytes, to, bytes.length - to);
    return out.array();
  }

  private static void put(byte[] bytes, int at, int width, Random chance) {
    ByteBuffer all = ByteBuffer.wrap(bytes);
    // Fields of fixed width mostly lie at even places.
    int place = Math.min(at & ~1, bytes.length - width);
    if (place < 0) {
      return;
    }
    long value = extreme(chance);
    switch (width) {
      case Short.BYTES -> all.putShort(place, (short) value);
      case Integer.BYTES -> all.putInt(place, (int) value);
      default -> all.putLong(place, value);
    }
  }

  /** The longest number of five bytes, or a negative one, or of too many bytes. */
  private static void varint(byte[] bytes, int at, Random chance) {
    int length = Math.min(1 + chance.nextInt(10), bytes.length - at);
    for (int i = 0; i < length - 1; i++) {
      bytes[at + i] = (byte) 0xff;
    }
    bytes[at + length - 1] = (byte) (chance.nextBoolean() ? 0x07 : 0x0f);
  }
}

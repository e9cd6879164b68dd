package io.strandline.tests.fault;

import java.nio.ByteBuffer;
import java.util.SplittableRandom;

/**
 * Record values that tell their number, and of which every byte follows from it: 8 bytes of number,
 * then 100 to 4,000 bytes of chance.
 */
final class Numbered {
  private static final int NUMBER_BYTES = Long.BYTES;

  private Numbered() {}

  static byte[] value(long seed, long number) {
    SplittableRandom random = new SplittableRandom(seed ^ (number * 0x9E3779B97F4A7C15L));
    byte[] value = new byte[NUMBER_BYTES + 100 + random.nextInt(3_900)];
    random.nextBytes(value);
    ByteBuffer.wrap(value).putLong(number);
    return value;
  }

  static long number(byte[] value) {
    return ByteBuffer.wrap(value).getLong();
  }
}

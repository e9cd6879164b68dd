package io.strandline.tests.fuzz;

import java.nio.ByteBuffer;
import java.util.zip.CRC32C;

/** CRC32C, to mend what a mutation broke. */
final class Crc {
  private Crc() {}

  static int of(byte[] bytes, int from, int to) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, from, to - from);
    return (int) crc.getValue();
  }

  /** Writes the sum of a range at a place. */
  static void mend(byte[] bytes, int from, int to, int at) {
    ByteBuffer.wrap(bytes).putInt(at, of(bytes, from, to));
  }
}

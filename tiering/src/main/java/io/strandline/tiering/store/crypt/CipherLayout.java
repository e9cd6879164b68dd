package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.ReadRange;
import java.util.OptionalLong;

/**
 * Where plain bytes lie in an encrypted object: a header of fixed length, then frames of fixed
 * length, the last of which may be shorter.
 */
final class CipherLayout {
  /** Plain bytes of a frame: small enough for reads at any place, long enough to cost little. */
  static final int FRAME_BYTES = 64 << 10;

  static final int HEADER_BYTES = 512;
  static final int TAG_BYTES = 16;
  static final int SUM_BYTES = 4;

  /** What a frame is longer by than its plain bytes. */
  static final int EXTRA_BYTES = TAG_BYTES + SUM_BYTES;

  static final int STORED_FRAME_BYTES = FRAME_BYTES + EXTRA_BYTES;

  private CipherLayout() {}

  /** Length of the object that holds so many plain bytes. */
  static long storedBytes(long plainBytes) {
    return HEADER_BYTES + bodyBytes(plainBytes);
  }

  /** Length of its frames alone. */
  static long bodyBytes(long plainBytes) {
    return plainBytes + EXTRA_BYTES * frames(plainBytes);
  }

  /** Plain bytes in an object of this length, if an encrypted object can be so long. */
  static OptionalLong plainBytes(long storedBytes) {
    long body = storedBytes - HEADER_BYTES;
    long last = body % STORED_FRAME_BYTES;
    if (body < 0 || (last > 0 && last <= EXTRA_BYTES)) {
      return OptionalLong.empty();
    }
    long frames = (body + STORED_FRAME_BYTES - 1) / STORED_FRAME_BYTES;
    return OptionalLong.of(body - EXTRA_BYTES * frames);
  }

  static long frames(long plainBytes) {
    return (plainBytes + FRAME_BYTES - 1) / FRAME_BYTES;
  }

  /** Plain bytes of one frame of an object with so many. */
  static int frameBytes(long plainBytes, long frame) {
    return (int) Math.min(FRAME_BYTES, plainBytes - frame * FRAME_BYTES);
  }

  static long frameAt(long plainPositionBytes) {
    return plainPositionBytes / FRAME_BYTES;
  }

  /**
   * The stored bytes that hold a range of plain ones: whole frames.
   *
   * @param plainBytes of the object; the range lies within
   */
  static ReadRange stored(ReadRange plain, long plainBytes) {
    long from = frameAt(plain.positionBytes());
    long last = frameAt(plain.positionBytes() + plain.lengthBytes() - 1);
    long begin = from * STORED_FRAME_BYTES;
    long end = Math.min((last + 1) * STORED_FRAME_BYTES, bodyBytes(plainBytes));
    return new ReadRange(plain.key(), HEADER_BYTES + begin, Math.toIntExact(end - begin));
  }
}

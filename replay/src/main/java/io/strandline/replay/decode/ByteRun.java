package io.strandline.replay.decode;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.CRC32C;

/** Consecutive bytes in several buffers, addressed from 0; copies only what spans two of them. */
public final class ByteRun {
  private final ByteBuffer[] pieces;
  private final int[] starts;
  private final int lengthBytes;

  /**
   * @param pieces in order; each counts from its position to its limit
   */
  public ByteRun(List<ByteBuffer> pieces) {
    this.pieces = new ByteBuffer[pieces.size()];
    this.starts = new int[pieces.size()];
    int at = 0;
    for (int i = 0; i < this.pieces.length; i++) {
      this.pieces[i] = pieces.get(i).slice();
      starts[i] = at;
      at = Math.addExact(at, this.pieces[i].remaining());
    }
    this.lengthBytes = at;
  }

  public int lengthBytes() {
    return lengthBytes;
  }

  /** The bytes in {@code [from, to)}, not copied. */
  public List<ByteBuffer> slices(int from, int to) {
    List<ByteBuffer> out = new ArrayList<>();
    int at = from;
    for (int i = pieceOf(from); at < to; i++) {
      int begin = at - starts[i];
      int end = Math.min(pieces[i].remaining(), to - starts[i]);
      out.add(pieces[i].slice(begin, end - begin));
      at = starts[i] + end;
    }
    return out;
  }

  /** The bytes in {@code [from, to)} in one buffer, copied if they span several. */
  public ByteBuffer joined(int from, int to) {
    List<ByteBuffer> slices = slices(from, to);
    if (slices.size() == 1) {
      return slices.get(0);
    }
    ByteBuffer out = ByteBuffer.allocate(to - from);
    slices.forEach(out::put);
    return out.flip();
  }

  int crc32c(int from, int to) {
    CRC32C crc = new CRC32C();
    slices(from, to).forEach(crc::update);
    return (int) crc.getValue();
  }

  private int pieceOf(int at) {
    int i = 0;
    while (i + 1 < starts.length && starts[i + 1] <= at) {
      i++;
    }
    return i;
  }
}

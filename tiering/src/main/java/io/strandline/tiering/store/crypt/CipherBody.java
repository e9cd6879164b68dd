package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.Payload;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;

/**
 * The frames of an object, made as a store reads them, from any position and as often as it tries.
 *
 * <p>A frame that was made once is never made of other bytes: that would use a nonce twice, and the
 * store would hold the means to undo both. So the sum of each frame's plain bytes is kept, and a
 * file that changed between two tries fails the put. Threads: any.
 */
final class CipherBody implements Payload.Maker {
  private final Payload plain;
  private final long plainBytes;
  private final ObjectCipher cipher;

  /** CRC32C of each frame's plain bytes with a bit above it, or 0 for one not yet made. */
  private final long[] sums;

  CipherBody(Payload plain, ObjectCipher cipher) {
    this.plain = plain;
    this.plainBytes = plain.lengthBytes();
    this.cipher = cipher;
    this.sums = new long[Math.toIntExact(CipherLayout.frames(plainBytes))];
  }

  @Override
  public ReadableByteChannel open(long positionBytes) throws IOException {
    long frame = positionBytes / CipherLayout.STORED_FRAME_BYTES;
    long from = frame * CipherLayout.FRAME_BYTES;
    Making making = new Making(frame, plain.slice(from, plainBytes - from).open());
    making.skip((int) (positionBytes % CipherLayout.STORED_FRAME_BYTES));
    return making;
  }

  private synchronized void sameAsBefore(long frame, long sum) throws IOException {
    long marked = sum | 1L << 32;
    long before = sums[(int) frame];
    if (before != 0 && before != marked) {
      throw new IOException("the payload changed between two tries of its put");
    }
    sums[(int) frame] = marked;
  }

  /** Frames from one on; one thread. */
  private final class Making implements ReadableByteChannel {
    private final ReadableByteChannel source;
    private final ObjectCipher.Frames frames = cipher.frames();
    private final CRC32C crc = new CRC32C();
    private final byte[] bytes = new byte[CipherLayout.FRAME_BYTES];
    private final byte[] stored = new byte[CipherLayout.STORED_FRAME_BYTES];
    private @Nullable ByteBuffer current;
    private long frame;
    private boolean closed;

    Making(long frame, ReadableByteChannel source) {
      this.frame = frame;
      this.source = source;
    }

    void skip(int count) throws IOException {
      if (count > 0) {
        ByteBuffer made = made();
        if (made != null) {
          made.position(count);
        }
      }
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
      ByteBuffer made = made();
      if (made == null) {
        return -1;
      }
      int take = Math.min(into.remaining(), made.remaining());
      into.put(made.slice(made.position(), take));
      made.position(made.position() + take);
      return take;
    }

    /** What is left of the frame, or the next; null at the end. */
    private @Nullable ByteBuffer made() throws IOException {
      ByteBuffer made = current;
      if (made != null && made.hasRemaining()) {
        return made;
      }
      if (frame >= sums.length) {
        return null;
      }
      int length = CipherLayout.frameBytes(plainBytes, frame);
      Payload.readFully(source, ByteBuffer.wrap(bytes, 0, length));
      crc.reset();
      crc.update(bytes, 0, length);
      sameAsBefore(frame, crc.getValue());
      frames.make(frame, bytes, length, stored);
      frame++;
      made = ByteBuffer.wrap(stored, 0, length + CipherLayout.EXTRA_BYTES);
      current = made;
      return made;
    }

    @Override
    public boolean isOpen() {
      return !closed;
    }

    @Override
    public void close() throws IOException {
      closed = true;
      source.close();
    }
  }
}

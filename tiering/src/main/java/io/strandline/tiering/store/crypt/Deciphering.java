package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.Landing;
import io.strandline.tiering.store.ReadRange;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Opens the frames of one ranged read as their bytes come, on the thread that brings them, and puts
 * what was asked for of them on.
 *
 * <p>Bytes of a frame that was not authenticated are never put. The store within may try again from
 * the first byte: then a new try of the landing behind begins too. Threads: any, one at a time: the
 * landing in front sees to that.
 */
final class Deciphering implements Landing.Ground {
  private final ObjectCipher cipher;
  private final ObjectCipher.Frames frames;
  private final ReadRange plain;
  private final Landing behind;
  private final byte[] stored = new byte[CipherLayout.STORED_FRAME_BYTES];
  private final byte[] bytes = new byte[CipherLayout.FRAME_BYTES];
  private Landing.@Nullable Try attempt;
  private StoreException.@Nullable Undeciphered failure;
  private int storedBytes;
  private long frame;
  private long leftBytes;

  /**
   * @param plain the range asked for, within the object
   * @param behind where its bytes go
   */
  Deciphering(ObjectCipher cipher, ReadRange plain, Landing behind) {
    this.cipher = cipher;
    this.frames = cipher.frames();
    this.plain = plain;
    this.behind = behind;
  }

  /** Why a frame was not opened in the last try, if one was not. */
  StoreException.@Nullable Undeciphered failure() {
    return failure;
  }

  @Override
  public void put(int fromBytes, ByteBuffer piece) {
    if (fromBytes == 0) {
      begin();
    }
    while (piece.hasRemaining() && failure == null && leftBytes > 0) {
      int length = CipherLayout.frameBytes(cipher.plainBytes(), frame);
      int whole = length + CipherLayout.EXTRA_BYTES;
      int take = Math.min(piece.remaining(), whole - storedBytes);
      piece.get(stored, storedBytes, take);
      storedBytes += take;
      if (storedBytes == whole) {
        open(length);
        storedBytes = 0;
        frame++;
      }
    }
    piece.position(piece.limit());
  }

  private void begin() {
    attempt = behind.begin();
    failure = null;
    storedBytes = 0;
    frame = CipherLayout.frameAt(plain.positionBytes());
    leftBytes = plain.lengthBytes();
  }

  private void open(int length) {
    try {
      frames.open(frame, stored, length, bytes);
    } catch (StoreException.Undeciphered e) {
      failure = e;
      return;
    }
    long asked = plain.positionBytes() + plain.lengthBytes() - leftBytes;
    int skip = (int) (asked - frame * CipherLayout.FRAME_BYTES);
    int take = (int) Math.min(length - skip, leftBytes);
    Landing.Try to = attempt;
    if (to != null) {
      boolean unused = to.put(ByteBuffer.wrap(bytes, skip, take));
    }
    leftBytes -= take;
  }
}

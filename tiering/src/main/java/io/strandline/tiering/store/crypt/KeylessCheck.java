package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.ObjectInfo;
import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.CompletionException;
import java.util.zip.CRC32C;

/**
 * Whether an encrypted object is as it was stored, found without its key: its length, and the sums
 * of its header and frames. Says nothing of who stored it. Blocks; threads: any.
 */
public final class KeylessCheck {
  private static final int FRAMES_AT_ONCE = 64;

  private final ObjectStore store;

  /**
   * @param store of the bytes as they are stored
   */
  KeylessCheck(ObjectStore store) {
    this.store = store;
  }

  /**
   * What is wrong with the object, if anything is.
   *
   * @throws StoreException if the store does not give it
   */
  public Optional<String> damage(ObjectKey key) {
    try {
      Optional<ObjectInfo> info = store.head(key).join();
      if (info.isEmpty()) {
        throw new StoreException.NotFound("no object " + key);
      }
      CipherHeader header =
          CipherHeader.decode(store.get(key, 0, CipherLayout.HEADER_BYTES).join());
      long storedBytes = CipherLayout.storedBytes(header.plainBytes());
      if (info.get().lengthBytes() != storedBytes) {
        return Optional.of(
            info.get().lengthBytes() + " bytes are stored, its header says " + storedBytes);
      }
      return frames(key, header.plainBytes());
    } catch (StoreException.Undeciphered e) {
      return Optional.of(String.valueOf(e.getMessage()));
    } catch (CompletionException e) {
      throw StoreException.of(e);
    }
  }

  private Optional<String> frames(ObjectKey key, long plainBytes) {
    long frames = CipherLayout.frames(plainBytes);
    for (long from = 0; from < frames; from += FRAMES_AT_ONCE) {
      long to = Math.min(frames, from + FRAMES_AT_ONCE);
      long begin = from * CipherLayout.STORED_FRAME_BYTES;
      long end = Math.min(to * CipherLayout.STORED_FRAME_BYTES, CipherLayout.bodyBytes(plainBytes));
      ByteBuffer bytes =
          store.get(key, CipherLayout.HEADER_BYTES + begin, (int) (end - begin)).join();
      for (long frame = from; frame < to; frame++) {
        if (!holds(bytes, CipherLayout.frameBytes(plainBytes, frame))) {
          return Optional.of("frame " + frame + " is damaged");
        }
      }
    }
    return Optional.empty();
  }

  /** Takes one frame. */
  private static boolean holds(ByteBuffer bytes, int plainBytes) {
    int length = plainBytes + CipherLayout.TAG_BYTES;
    CRC32C crc = new CRC32C();
    crc.update(bytes.slice(bytes.position(), length));
    bytes.position(bytes.position() + length);
    return bytes.getInt() == (int) crc.getValue();
  }
}

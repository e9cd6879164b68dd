package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.ObjectKey;
import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.zip.CRC32C;
import javax.crypto.AEADBadTagException;
import javax.crypto.Cipher;
import javax.crypto.spec.GCMParameterSpec;
import javax.crypto.spec.SecretKeySpec;

/**
 * Makes and opens the frames of one object: AES-256-GCM under the object's own key.
 *
 * <p>The key is this object's alone and the nonce is the frame's number, so it is used once as long
 * as a frame is made of the same bytes each time. What is authenticated beside a frame's bytes is
 * its number and a SHA-256 of the header and of the object's name: so frames cannot be moved within
 * or between objects, and neither length nor header nor name can be changed.
 *
 * <p>Threads: any; the {@link Frames} belong to one.
 */
final class ObjectCipher {
  /** Bytes of a key. */
  static final int KEY_BYTES = 32;

  private static final int NONCE_BYTES = 12;
  private static final String TRANSFORMATION = "AES/GCM/NoPadding";

  private final SecretKeySpec key;
  private final byte[] identity;
  private final long plainBytes;

  /**
   * @param key {@value #KEY_BYTES} bytes
   */
  ObjectCipher(ObjectKey object, CipherHeader header, byte[] key) {
    this.key = new SecretKeySpec(key, "AES");
    this.identity = identity(object, header.encode());
    this.plainBytes = header.plainBytes();
  }

  private static byte[] identity(ObjectKey object, ByteBuffer header) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-256");
      digest.update(header);
      digest.update(object.value().getBytes(StandardCharsets.US_ASCII));
      return digest.digest();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  /** Plain bytes of the object. */
  long plainBytes() {
    return plainBytes;
  }

  Frames frames() {
    return new Frames();
  }

  /** One thread's way to make and open frames. */
  final class Frames {
    private final Cipher cipher;
    private final CRC32C crc = new CRC32C();

    private Frames() {
      try {
        cipher = Cipher.getInstance(TRANSFORMATION);
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("every Java has " + TRANSFORMATION, e);
      }
    }

    /** Makes a frame of the first {@code lengthBytes} of {@code plain}. */
    void make(long frame, byte[] plain, int lengthBytes, byte[] stored) {
      try {
        init(Cipher.ENCRYPT_MODE, frame);
        int bytes = cipher.doFinal(plain, 0, lengthBytes, stored, 0);
        ByteBuffer.wrap(stored).putInt(bytes, sum(stored, bytes));
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("a frame cannot be encrypted", e);
      }
    }

    /**
     * Opens a frame.
     *
     * @param lengthBytes of its plain bytes, which come to stand at the beginning of {@code plain}
     * @throws StoreException.Undeciphered if it is not the frame that was made
     */
    void open(long frame, byte[] stored, int lengthBytes, byte[] plain) {
      int bytes = lengthBytes + CipherLayout.TAG_BYTES;
      if (sum(stored, bytes) != ByteBuffer.wrap(stored).getInt(bytes)) {
        throw StoreException.Undeciphered.forged("frame " + frame + " is damaged");
      }
      try {
        init(Cipher.DECRYPT_MODE, frame);
        int unused = cipher.doFinal(stored, 0, bytes, plain, 0);
      } catch (AEADBadTagException e) {
        throw StoreException.Undeciphered.forged(
            "frame " + frame + " is not what was encrypted under this key and name");
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException("a frame cannot be decrypted", e);
      }
    }

    private void init(int mode, long frame) throws GeneralSecurityException {
      ByteBuffer nonce = ByteBuffer.allocate(NONCE_BYTES).putLong(NONCE_BYTES - Long.BYTES, frame);
      cipher.init(mode, key, new GCMParameterSpec(8 * CipherLayout.TAG_BYTES, nonce.array()));
      cipher.updateAAD(identity);
      cipher.updateAAD(ByteBuffer.allocate(Long.BYTES).putLong(frame).flip());
    }

    private int sum(byte[] stored, int bytes) {
      crc.reset();
      crc.update(stored, 0, bytes);
      return (int) crc.getValue();
    }
  }
}

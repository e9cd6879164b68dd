package io.strandline.tiering.store.crypt;

import io.strandline.tiering.store.StoreException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * What stands at the beginning of an encrypted object, in clear: enough to find the key and to
 * check without it that the object is as it was stored.
 *
 * @param plainBytes of the object
 * @param wrapped the object's own key
 */
record CipherHeader(long plainBytes, WrappedKey wrapped) {
  private static final int MAGIC = 0x534c_656e; // SLen
  private static final short VERSION = 1;
  private static final int SUM_AT = CipherLayout.HEADER_BYTES - Integer.BYTES;

  /** The header as stored, {@link CipherLayout#HEADER_BYTES} long. */
  ByteBuffer encode() {
    byte[] id = wrapped.keyId().getBytes(StandardCharsets.US_ASCII);
    ByteBuffer out = ByteBuffer.allocate(CipherLayout.HEADER_BYTES);
    out.putInt(MAGIC).putShort(VERSION).putShort((short) 0);
    out.putInt(CipherLayout.FRAME_BYTES).putLong(plainBytes);
    out.putShort((short) id.length).put(id);
    out.putShort((short) wrapped.bytes().remaining()).put(wrapped.bytes().duplicate());
    out.putInt(SUM_AT, sum(out));
    return out.clear();
  }

  /**
   * @throws StoreException.Undeciphered if these are not the bytes of a header
   */
  static CipherHeader decode(ByteBuffer bytes) {
    ByteBuffer in = bytes.slice();
    if (in.remaining() < CipherLayout.HEADER_BYTES || in.getInt() != MAGIC) {
      throw StoreException.Undeciphered.forged("it does not begin as an encrypted object does");
    }
    short version = in.getShort();
    short flags = in.getShort();
    int frameBytes = in.getInt();
    if (version != VERSION || flags != 0 || frameBytes != CipherLayout.FRAME_BYTES) {
      throw StoreException.Undeciphered.forged(
          "its version is " + version + ", its flags " + flags + ", its frames " + frameBytes);
    }
    if (sum(in) != in.getInt(SUM_AT)) {
      throw StoreException.Undeciphered.forged("its header is damaged");
    }
    long plainBytes = in.getLong();
    String id = new String(take(in, 64), StandardCharsets.US_ASCII);
    byte[] key = take(in, WrappedKey.BYTES_MAX);
    if (plainBytes < 0 || !WrappedKey.isId(id)) {
      throw StoreException.Undeciphered.forged("its header makes no sense");
    }
    return new CipherHeader(plainBytes, new WrappedKey(id, ByteBuffer.wrap(key)));
  }

  private static byte[] take(ByteBuffer in, int bytesMax) {
    int length = in.getShort();
    if (length < 0 || length > bytesMax) {
      throw StoreException.Undeciphered.forged("its header makes no sense");
    }
    byte[] bytes = new byte[length];
    in.get(bytes);
    return bytes;
  }

  private static int sum(ByteBuffer header) {
    CRC32C crc = new CRC32C();
    crc.update(header.duplicate().limit(SUM_AT).position(0));
    return (int) crc.getValue();
  }
}

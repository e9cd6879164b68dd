package io.strandline.tiering.store.crypt;

import java.nio.ByteBuffer;
import java.util.regex.Pattern;

/**
 * A key encrypted by another.
 *
 * @param keyId names the other: 1 to 64 of {@code [A-Za-z0-9._:/-]}
 * @param bytes opaque to all but the key ring; at most 384
 */
public record WrappedKey(String keyId, ByteBuffer bytes) {
  /** Longest {@link #bytes}. */
  public static final int BYTES_MAX = 384;

  private static final Pattern ID = Pattern.compile("[A-Za-z0-9._:/-]{1,64}");

  public WrappedKey {
    bytes = bytes.asReadOnlyBuffer();
    if (!isId(keyId) || bytes.remaining() > BYTES_MAX) {
      throw new IllegalArgumentException("not a wrapped key: " + keyId);
    }
  }

  /** Whether {@code text} may name a key. */
  public static boolean isId(String text) {
    return ID.matcher(text).matches();
  }
}

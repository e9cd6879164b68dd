package io.strandline.tests.process;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;

/** What a sequence of lines was: how many, and a digest of their lengths and bytes in order. */
final class LineDigest {
  private final MessageDigest digest;
  private long count;

  LineDigest() {
    try {
      digest = MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }

  void add(byte[] line) {
    digest.update(ByteBuffer.allocate(4).putInt(line.length).flip());
    digest.update(line);
    count++;
  }

  long count() {
    return count;
  }

  /** Ends the digest. */
  String finish() {
    return count + " lines " + HexFormat.of().formatHex(digest.digest());
  }
}

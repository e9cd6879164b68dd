package io.strandline.cache;

/**
 * Names a run of bytes that never changes: {@code lengthBytes} bytes from {@code positionBytes} of
 * the object {@code object}.
 */
public record ChunkKey(String object, long positionBytes, int lengthBytes) {
  public ChunkKey {
    if (positionBytes < 0 || lengthBytes <= 0) {
      throw new IllegalArgumentException(
          "not a range: position " + positionBytes + ", length " + lengthBytes);
    }
  }
}

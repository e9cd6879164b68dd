package io.strandline.broker.log.segment;

import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;

/** Positional reads that are complete or fail. */
final class Channels {
  private Channels() {}

  static void readFully(FileChannel channel, ByteBuffer into, long positionBytes)
      throws IOException {
    if (readUpTo(channel, into, positionBytes) && into.hasRemaining()) {
      throw new EOFException("file ends before " + (positionBytes + into.limit()));
    }
  }

  /**
   * Reads until the buffer is full or the file ends.
   *
   * @return whether the file ended first
   */
  static boolean readUpTo(FileChannel channel, ByteBuffer into, long positionBytes)
      throws IOException {
    long position = positionBytes;
    while (into.hasRemaining()) {
      int read = channel.read(into, position);
      if (read < 0) {
        return true;
      }
      position += read;
    }
    return false;
  }
}

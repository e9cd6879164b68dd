package io.strandline.tiering.store;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The parts of a payload, one after the other. One thread. */
final class PayloadChannel implements ReadableByteChannel {
  private final Iterator<Payload.Part> parts;
  private @Nullable ReadableByteChannel streamed;
  private @Nullable ByteBuffer bytes;
  private long leftBytes;
  private boolean closed;

  PayloadChannel(List<Payload.Part> parts) {
    this.parts = parts.iterator();
  }

  @Override
  public int read(ByteBuffer into) throws IOException {
    while (leftBytes == 0) {
      if (!next()) {
        return -1;
      }
    }
    int take = (int) Math.min(into.remaining(), leftBytes);
    ByteBuffer from = bytes;
    ReadableByteChannel channel = streamed;
    int read;
    if (from != null) {
      into.put(from.slice(from.position(), take));
      from.position(from.position() + take);
      read = take;
    } else if (channel != null) {
      read = readSome(channel, into, take);
    } else {
      throw new IllegalStateException("bytes are left of nothing");
    }
    leftBytes -= Math.max(0, read);
    return read;
  }

  private static int readSome(ReadableByteChannel channel, ByteBuffer into, int take)
      throws IOException {
    int limit = into.limit();
    into.limit(into.position() + take);
    try {
      return channel.read(into);
    } finally {
      into.limit(limit);
    }
  }

  private boolean next() throws IOException {
    close(streamed);
    streamed = null;
    bytes = null;
    if (!parts.hasNext()) {
      return false;
    }
    Payload.Part part = parts.next();
    leftBytes = part.lengthBytes();
    if (part instanceof Payload.Bytes whole) {
      bytes = whole.buffer().duplicate();
    } else if (part instanceof Payload.Streamed some) {
      streamed = some.open();
    }
    return true;
  }

  @Override
  public boolean isOpen() {
    return !closed;
  }

  @Override
  public void close() throws IOException {
    closed = true;
    close(streamed);
  }

  private static void close(@Nullable ReadableByteChannel channel) throws IOException {
    if (channel != null) {
      channel.close();
    }
  }
}

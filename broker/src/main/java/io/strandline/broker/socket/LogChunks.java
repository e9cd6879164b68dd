package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.handler.stream.ChunkedInput;
import java.io.EOFException;
import java.io.IOException;
import java.nio.channels.FileChannel;

/**
 * A region of a file for a connection that encrypts, where sendfile can not serve: read piece by
 * piece as the peer takes it. The file stays open: the log owns it.
 */
final class LogChunks implements ChunkedInput<ByteBuf> {
  private static final int CHUNK_BYTES = 64 << 10;

  private final FileChannel file;
  private final long begin;
  private final long bytes;
  private long done;

  LogChunks(FileChannel file, long position, long bytes) {
    this.file = file;
    this.begin = position;
    this.bytes = bytes;
  }

  @Override
  public boolean isEndOfInput() {
    return done == bytes;
  }

  @Override
  public void close() {}

  @Deprecated
  @Override
  @SuppressWarnings("InlineMeSuggester") // nobody of ours calls it
  public ByteBuf readChunk(ChannelHandlerContext ctx) throws IOException {
    return readChunk(ctx.alloc());
  }

  @Override
  public ByteBuf readChunk(ByteBufAllocator allocator) throws IOException {
    int size = (int) Math.min(CHUNK_BYTES, bytes - done);
    ByteBuf chunk = allocator.directBuffer(size, size);
    try {
      while (chunk.isWritable()) {
        long position = begin + done + chunk.readableBytes();
        if (chunk.writeBytes(file, position, chunk.writableBytes()) < 0) {
          throw new EOFException("the file ends before position " + position);
        }
      }
      done += size;
      return chunk.retain();
    } finally {
      chunk.release();
    }
  }

  @Override
  public long length() {
    return bytes;
  }

  @Override
  public long progress() {
    return done;
  }
}

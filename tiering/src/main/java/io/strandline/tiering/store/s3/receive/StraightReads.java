package io.strandline.tiering.store.s3.receive;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.Unpooled;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import java.nio.ByteBuffer;

/**
 * Gives a connection the memory that it reads into: that of the body's receiver where it has some
 * for the next bytes, else a buffer of the pool. So a body is copied once, by the operating system.
 */
final class StraightReads extends DefaultMaxMessagesRecvByteBufAllocator {
  /** Small enough to stay in a core's cache until it was copied. */
  static final int PIECE_BYTES = 256 << 10;

  /** As Netty's own: then another connection of the loop has its turn. */
  private static final int READS_PER_TURN = 16;

  private final Connection connection;

  StraightReads(Connection connection) {
    super(READS_PER_TURN);
    this.connection = connection;
  }

  @Override
  @SuppressWarnings("deprecation") // Its type is; there is no other.
  public Handle newHandle() {
    return new Reads();
  }

  /** Of one connection, in its event loop: allocate, read, lastBytesRead; or readComplete. */
  private final class Reads extends MaxMessageHandle {
    private boolean entered;

    @Override
    public int guess() {
      return PIECE_BYTES;
    }

    @Override
    public ByteBuf allocate(ByteBufAllocator pool) {
      ByteBuffer room = connection.enter(PIECE_BYTES);
      if (room == null) {
        return pool.ioBuffer(PIECE_BYTES);
      }
      entered = true;
      return Unpooled.wrappedBuffer(room).clear();
    }

    @Override
    public void lastBytesRead(int bytes) {
      leave(Math.max(0, bytes));
      super.lastBytesRead(bytes);
    }

    /** After a read that failed this is the first that is told. */
    @Override
    public void readComplete() {
      leave(0);
      super.readComplete();
    }

    private void leave(int filledBytes) {
      if (entered) {
        entered = false;
        connection.leave(filledBytes);
      }
    }
  }
}

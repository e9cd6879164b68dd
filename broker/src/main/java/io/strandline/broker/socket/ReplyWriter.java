package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelProgressiveFuture;
import io.netty.channel.ChannelProgressiveFutureListener;
import io.netty.channel.ChannelProgressivePromise;
import io.netty.channel.DefaultFileRegion;
import io.netty.handler.ssl.SslHandler;
import io.strandline.broker.request.SliceRecords;
import io.strandline.broker.socket.memory.HeldHeap;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import org.apache.kafka.common.network.Send;
import org.apache.kafka.common.network.TransferableChannel;

/**
 * Puts encoded responses on the wire, in pieces: buffers as they are, regions of files by sendfile
 * or, to a peer with TLS, read piece by piece. On the connection's event loop, but {@link
 * #stalled}.
 *
 * <p>Netty does not count file regions against its own water marks, so the bytes that wait are
 * counted here.
 */
@SuppressWarnings("FutureReturnValueIgnored") // promises have their listeners
final class ReplyWriter {
  /** So little goes out in one write or two: its end is all the progress that need be seen. */
  private static final int UNWATCHED_BYTES_MAX = 4 << 10;

  /** With TLS only the end of a piece is seen: so it is no larger than what a slow peer takes. */
  private static final int ENCRYPTED_BYTES_MAX = 64 << 10;

  /** While others wait for its memory, an answer has so long, and as long as its bytes take. */
  private static final long TAKEN_GRACE_MS = 5_000;

  private static final long TAKEN_BYTES_PER_MS = 1 << 10;

  private final ChannelHandlerContext context;
  private final LongSupplier nanoClock;
  private final Consumer<Channel> sent;
  private final boolean encrypts;
  private final HeldHeap memory;
  private volatile long unsentBytes;
  private volatile long heapBytes;
  private volatile long progressNanos;

  /** Answers from memory that others may want, in the order in which they are sent. */
  private final Queue<Borrowed> borrowed = new ConcurrentLinkedQueue<>();

  /**
   * @param dueNanos when it should have been taken if others wait
   */
  private record Borrowed(List<BooleanSupplier> wanted, long dueNanos) {}

  /**
   * @param sent told each time a response has been sent
   */
  ReplyWriter(
      ChannelHandlerContext context,
      LongSupplier nanoClock,
      HeldHeap memory,
      Consumer<Channel> sent) {
    this.context = context;
    this.memory = memory;
    this.nanoClock = nanoClock;
    this.sent = sent;
    this.encrypts = context.pipeline().get(SslHandler.class) != null;
    this.progressNanos = nanoClock.getAsLong();
  }

  /** Bytes of responses that were written but not yet taken by the socket. */
  long unsentBytes() {
    return unsentBytes;
  }

  /** Of these, what lies in the heap. Any thread. */
  long heapBytes() {
    return heapBytes;
  }

  /**
   * Whether something waits and none of it moved for so long; or moves, but so slowly that others
   * wait long for the memory it lies in. Any thread.
   */
  boolean stalled(long nowNanos, long graceMs) {
    return unsentBytes > 0 && (nowNanos - progressNanos > graceMs * 1_000_000 || overdue(nowNanos));
  }

  private boolean overdue(long nowNanos) {
    Borrowed first = borrowed.peek();
    return first != null
        && nowNanos - first.dueNanos > 0
        && first.wanted.stream().anyMatch(BooleanSupplier::getAsBoolean);
  }

  /**
   * Writes without flushing.
   *
   * @param whenDone run when the last byte was sent or the connection is lost, but not if this
   *     throws
   * @return bytes to be sent
   */
  long write(Send send, Runnable whenDone) throws IOException {
    Collector pieces = new Collector(encrypts);
    while (!send.completed()) {
      send.writeTo(pieces);
    }
    long bytes = send.size();
    if (unsentBytes == 0) {
      progressNanos = nanoClock.getAsLong();
    }
    long heap = pieces.heapBytes;
    add(bytes, heap);
    Borrowed memory = borrow(pieces.wanted);
    int last = pieces.list.size() - 1;
    long unwatchedBytes = 0;
    for (int i = 0; i < last; i++) {
      Object piece = pieces.list.get(i);
      unwatchedBytes += piece instanceof ByteBuf buffer ? buffer.readableBytes() : 0;
      boolean watches = unwatchedBytes > UNWATCHED_BYTES_MAX || !(piece instanceof ByteBuf);
      context.write(piece, watches ? watched() : context.voidPromise());
      unwatchedBytes = watches ? 0 : unwatchedBytes;
    }
    boolean small = last == 0 && bytes <= UNWATCHED_BYTES_MAX;
    context.write(
        pieces.list.get(last),
        (small ? context.newPromise() : watched())
            .addListener(
                future -> {
                  add(-bytes, -heap);
                  borrowed.remove(memory);
                  whenDone.run();
                  if (future.isSuccess()) {
                    progressNanos = nanoClock.getAsLong();
                    sent.accept(context.channel());
                  } else {
                    context.channel().close();
                  }
                }));
    return bytes;
  }

  private Borrowed borrow(List<BooleanSupplier> wanted) {
    long takenMs = TAKEN_GRACE_MS + unsentBytes / TAKEN_BYTES_PER_MS;
    Borrowed memory = new Borrowed(wanted, nanoClock.getAsLong() + takenMs * 1_000_000);
    if (!wanted.isEmpty()) {
      borrowed.add(memory);
    }
    return memory;
  }

  @SuppressWarnings("NonAtomicVolatileUpdate") // one thread writes
  private void add(long bytes, long heap) {
    unsentBytes = unsentBytes + bytes;
    heapBytes = heapBytes + heap;
    memory.take(heap);
  }

  private ChannelProgressivePromise watched() {
    return context.newProgressivePromise().addListener(new Progress());
  }

  private final class Progress implements ChannelProgressiveFutureListener {
    @Override
    public void operationProgressed(ChannelProgressiveFuture future, long progress, long total) {
      progressNanos = nanoClock.getAsLong();
    }

    @Override
    public void operationComplete(ChannelProgressiveFuture future) {
      progressNanos = nanoClock.getAsLong();
      if (!future.isSuccess()) {
        context.channel().close();
      }
    }
  }

  /** A channel that takes everything and only remembers it. */
  private static final class Collector implements TransferableChannel, SliceRecords.Carrier {
    private final List<Object> list = new ArrayList<>(3);
    private final List<BooleanSupplier> wanted = new ArrayList<>(0);
    private final boolean encrypts;
    private long heapBytes;

    Collector(boolean encrypts) {
      this.encrypts = encrypts;
    }

    @Override
    public void carries(BooleanSupplier memoryWanted) {
      wanted.add(memoryWanted);
    }

    @Override
    public boolean hasPendingWrites() {
      return false;
    }

    @Override
    public long transferFrom(FileChannel file, long position, long count) {
      list.add(
          encrypts ? new LogChunks(file, position, count) : new LogRegion(file, position, count));
      return count;
    }

    @Override
    public int write(ByteBuffer buffer) {
      int bytes = buffer.remaining();
      heapBytes += buffer.isDirect() ? 0 : bytes;
      while (buffer.hasRemaining()) {
        int piece = encrypts ? Math.min(ENCRYPTED_BYTES_MAX, buffer.remaining()) : bytes;
        list.add(Unpooled.wrappedBuffer(buffer.slice(buffer.position(), piece)));
        buffer.position(buffer.position() + piece);
      }
      return bytes;
    }

    @Override
    public long write(ByteBuffer[] buffers, int offset, int length) {
      long bytes = 0;
      for (int i = offset; i < offset + length; i++) {
        bytes += write(buffers[i]);
      }
      return bytes;
    }

    @Override
    public long write(ByteBuffer[] buffers) {
      return write(buffers, 0, buffers.length);
    }

    @Override
    public boolean isOpen() {
      return true;
    }

    @Override
    public void close() {}
  }

  /** A region of a file that stays open: the log owns the channel. */
  private static final class LogRegion extends DefaultFileRegion {
    LogRegion(FileChannel file, long position, long count) {
      super(file, position, count);
    }

    @Override
    protected void deallocate() {}
  }
}

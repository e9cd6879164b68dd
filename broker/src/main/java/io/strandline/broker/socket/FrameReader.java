package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import io.strandline.broker.socket.memory.BytesBudget;
import io.strandline.broker.socket.memory.Share;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import java.util.function.LongSupplier;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what one connection sends into frames: four bytes of length, then that many. Emits each
 * frame, without the length, as one {@link HeldFrame} whose bytes are claimed of a {@link Share};
 * whoever gets it releases both.
 *
 * <p>Mechanism. As long as no frame is begun the socket is read into a small shared buffer, of
 * which whole frames are cut: a Produce as a slice, others, which live long when they are parked
 * and are small, as a copy, so that they do not pin the shared buffer. It is as long as the frames
 * of this peer while they are of middle size, so that one read takes one or several of them, and
 * short when they are large or small.
 *
 * <p>A frame that is only begun gets a buffer of its own, which this class hands to the transport
 * as the buffer to read into: the payload of a large Produce is written once by the kernel and not
 * moved again. Until {@link #FIRST_BYTES} of it are here no more than these are claimed, of a part
 * of the memory for frames that have only begun; then the whole frame is, and the buffer grows to
 * {@link #EAGER_BYTES} and doubles as bytes come: a peer is given memory for what it sent, not for
 * what it says it will send.
 *
 * <p>All on the connection's event loop, but {@link #late}.
 */
final class FrameReader extends ChannelInboundHandlerAdapter {
  static final int FIRST_BYTES = 8 << 10;

  static final int EAGER_BYTES = 1 << 20;
  private static final int LENGTH_BYTES = 4;

  /** Api key, version, correlation id: no header is shorter. */
  private static final int FRAME_BYTES_MIN = 8;

  private static final int READ_BYTES_MIN = 4 << 10;

  /** Behind a long frame another is likely, of which so much is to be seen at once. */
  private static final int LONG_READ_BYTES = LENGTH_BYTES + FIRST_BYTES;

  private static final int READ_BYTES_MAX = 128 << 10;

  /** Frames of up to so many bytes may pass through the shared buffer; longer ones never do. */
  private static final int SHARED_BYTES_MAX = 96 << 10;

  /** Reads before other connections of the loop have their turn, while each finds more to read. */
  private static final int READS_MAX = 4;

  /** Why nothing is read. */
  enum Pause {
    /** Too many requests wait for their answers. */
    REQUESTS,
    /** The client does not take its answers. */
    ANSWERS,
    /** The budget of bytes is spent. */
    BUDGET,
    /** The client used more than it may; a frame that is begun is read to its end. */
    QUOTA,
    /** It is being found out who the client is. */
    LOGIN
  }

  private static final Set<Pause> ONLY_QUOTA = EnumSet.of(Pause.QUOTA);

  private final SocketConfig.Limits limits;
  private final Share known;
  private final Turns turns;
  private final LongSupplier nanoClock;
  private final Runnable wake = this::wake;
  private final Set<Pause> pauses = EnumSet.noneOf(Pause.class);
  private final FrameDeadline deadline;

  private @Nullable ChannelHandlerContext context;
  private @Nullable ByteBuf frame;
  private int frameBytes;
  private @Nullable ByteBuf rest;
  private Share share;
  private volatile BytesBudget.@Nullable Claim claim;
  private BytesBudget.@Nullable Claim wholeClaim;
  private boolean closed;
  private boolean cutting;
  private int readBytes = READ_BYTES_MIN;
  private int frameBytesMin = FRAME_BYTES_MIN;
  private int frameBytesMax;
  private volatile boolean arriving;

  /**
   * @param known of which memory is claimed once it is known who the peer is
   * @param strangers of which it is claimed before
   * @param turns of this connection's requests
   */
  FrameReader(
      SocketConfig.Limits limits,
      Share known,
      Share strangers,
      Turns turns,
      LongSupplier nanoClock) {
    this.limits = limits;
    this.frameBytesMax = limits.requestBytesMax();
    this.known = known;
    this.share = strangers;
    this.turns = turns;
    this.nanoClock = nanoClock;
    this.deadline = new FrameDeadline(limits.frameGraceMs(), nanoClock);
  }

  // ---- what the transport reads into

  /** The allocator to set on the channel this reader serves. */
  @SuppressWarnings("deprecation") // the handle is deprecated for those who call it, not for us
  DefaultMaxMessagesRecvByteBufAllocator allocator() {
    return new DefaultMaxMessagesRecvByteBufAllocator(READS_MAX) {
      @Override
      public Handle newHandle() {
        return new MaxMessageHandle() {
          @Override
          public int guess() {
            return readBytes;
          }

          @Override
          public ByteBuf allocate(ByteBufAllocator allocator) {
            return target(allocator);
          }
        };
      }
    };
  }

  private ByteBuf target(ByteBufAllocator allocator) {
    if (frame != null && frame.isWritable()) {
      return frame.retain();
    }
    if (frame == null && rest != null && rest.isWritable()) {
      return rest.retain();
    }
    return allocator.directBuffer(readBytes, readBytes);
  }

  // ---- what was read

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  @Override
  @SuppressWarnings("ReferenceEquality") // is it the buffer we gave to the transport?
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    ByteBuf read = (ByteBuf) message;
    if (closed) {
      read.release();
      return;
    }
    if (read == frame || read == rest) {
      read.release(); // the reference the transport was given; our own stays
    } else {
      rest = rest == null ? read : joined(ctx, rest, read);
    }
    cut(ctx);
  }

  /** Two reads in one buffer: only when a length is torn, or behind a handler that decrypts. */
  private static ByteBuf joined(ChannelHandlerContext ctx, ByteBuf first, ByteBuf second) {
    int bytes = first.readableBytes() + second.readableBytes();
    ByteBuf both;
    try {
      both = ctx.alloc().directBuffer(Math.max(bytes, READ_BYTES_MIN));
    } catch (RuntimeException | Error failure) {
      second.release(); // the first is still ours
      throw failure;
    }
    both.writeBytes(first).writeBytes(second);
    first.release();
    second.release();
    return both;
  }

  private void cut(ChannelHandlerContext ctx) {
    boolean outermost = !cutting;
    cutting = true;
    int frames = 0;
    try {
      frames = emit(ctx);
    } catch (RuntimeException | Error failure) { // there is no memory: nothing of it may be lost
      close();
      ctx.fireExceptionCaught(failure);
    }
    cutting = !outermost;
    if (rest != null && !rest.isReadable()) {
      adapt(frames, rest);
      rest.release();
      rest = null;
    }
    if (outermost && frames > 0) {
      ctx.fireChannelReadComplete();
    }
  }

  /** Emits what is whole; gives the number of frames. */
  private int emit(ChannelHandlerContext ctx) {
    int frames = 0;
    while (!closed) {
      if (frame != null) {
        if (!fill(ctx)) {
          break;
        }
      } else if (!pauses.isEmpty() || rest == null || !begin(ctx, rest)) {
        break;
      }
      frames++;
    }
    return frames;
  }

  /** Frames are being emitted, and {@code channelReadComplete} follows the last of them. */
  boolean cutting() {
    return cutting;
  }

  /** Reads more at once from who sends many small frames. */
  private void adapt(int frames, ByteBuf read) {
    if (frames > 1 && !read.isWritable()) {
      readBytes = Math.min(readBytes * 2, READ_BYTES_MAX);
    } else if (frames == 1 && readBytes > READ_BYTES_MIN && read.writerIndex() < readBytes / 4) {
      readBytes = Math.max(READ_BYTES_MIN, readBytes / 2);
    }
  }

  /** Starts the next frame of {@code read}; false when that must wait. */
  private boolean begin(ChannelHandlerContext ctx, ByteBuf read) {
    if (read.readableBytes() < LENGTH_BYTES) {
      return false;
    }
    int bytes = read.getInt(read.readerIndex());
    if (bytes < frameBytesMin || bytes > frameBytesMax) {
      refuse(ctx, "frame of " + bytes + " bytes");
      return false;
    }
    if (!mayBegin(read, bytes)) {
      return false;
    }
    if (claim == null) {
      int shown = read.readableBytes() - LENGTH_BYTES;
      claim =
          shown >= Math.min(bytes, FIRST_BYTES)
              ? share.whole(bytes, wake)
              : share.begun(Math.min(bytes, FIRST_BYTES), wake);
    }
    BytesBudget.Claim held = Objects.requireNonNull(claim);
    if (!held.granted()) {
      pause(Pause.BUDGET);
      return false;
    }
    read.skipBytes(LENGTH_BYTES);
    if (held.bytes() == bytes && read.readableBytes() >= bytes) {
      handOn(ctx, cutOut(ctx, read, bytes));
      return true;
    }
    frame = ctx.alloc().directBuffer(Math.min(held.bytes(), EAGER_BYTES), bytes);
    frameBytes = bytes;
    readBytes = bytes <= SHARED_BYTES_MAX ? wholeFrame(bytes) : LONG_READ_BYTES;
    deadline.received(0);
    deadline.await();
    arriving = true;
    return true;
  }

  /** What must wait for its turn stays with the client, unless it is small. */
  private boolean mayBegin(ByteBuf read, int bytes) {
    if (turns.isEmpty()) {
      return true;
    }
    if (read.readableBytes() < LENGTH_BYTES + Short.BYTES) {
      return false; // what it is comes with the next bytes
    }
    boolean produce = read.getShort(read.readerIndex() + LENGTH_BYTES) == ApiKeys.PRODUCE.id;
    if (turns.takes(bytes, produce)) {
      return true;
    }
    pause(Pause.REQUESTS);
    return false;
  }

  private void handOn(ChannelHandlerContext ctx, ByteBuf whole) {
    HeldFrame held = new HeldFrame(whole, Objects.requireNonNull(claim), nanoClock);
    claim = null;
    ctx.fireChannelRead(held);
  }

  /** Reads the next frame at once if it is like this one. */
  private int wholeFrame(int bytes) {
    return Math.max(readBytes, Integer.highestOneBit(bytes + LENGTH_BYTES - 1) << 1);
  }

  /** From the next frame on: requests of any length that is allowed. */
  void takeRequests() {
    share = known;
    frameBytesMin = FRAME_BYTES_MIN;
    frameBytesMax = limits.requestBytesMax();
  }

  /**
   * From the next frame on: what somebody sends who is not known yet.
   *
   * @param tokens without a header, which may be shorter than any request
   */
  void takeLogins(int bytesMax, boolean tokens) {
    frameBytesMin = tokens ? 1 : FRAME_BYTES_MIN;
    frameBytesMax = Math.min(bytesMax, limits.requestBytesMax());
  }

  private static ByteBuf cutOut(ChannelHandlerContext ctx, ByteBuf read, int bytes) {
    if (bytes >= FRAME_BYTES_MIN && read.getShort(read.readerIndex()) == ApiKeys.PRODUCE.id) {
      return read.readRetainedSlice(bytes);
    }
    return ctx.alloc().heapBuffer(bytes, bytes).writeBytes(read, bytes);
  }

  /** Moves on with the frame that is begun; true when it was completed and emitted. */
  private boolean fill(ChannelHandlerContext ctx) {
    ByteBuf target = Objects.requireNonNull(frame);
    while (true) {
      int room = Objects.requireNonNull(claim).bytes() - target.writerIndex();
      if (rest != null && rest.isReadable()) {
        target.writeBytes(rest, Math.min(rest.readableBytes(), room)); // grows when it must
      }
      deadline.received(target.writerIndex());
      if (target.writerIndex() == frameBytes) {
        break;
      }
      if (target.writerIndex() == Objects.requireNonNull(claim).bytes()) {
        if (!claimWhole()) {
          return false;
        }
        target.capacity(Math.min(frameBytes, EAGER_BYTES));
      } else {
        if (!target.isWritable()) {
          target.capacity((int) Math.min(frameBytes, 2L * target.capacity()));
        }
        return false;
      }
    }
    frame = null;
    deadline.stop();
    arriving = false;
    if (stands()) {
      ctx.channel().config().setAutoRead(false);
    }
    handOn(ctx, target);
    return true;
  }

  /** The peer has shown enough of the frame that is begun: room for all of it. */
  private boolean claimWhole() {
    BytesBudget.Claim all = wholeClaim == null ? share.whole(frameBytes, wake) : wholeClaim;
    if (!all.granted()) {
      wholeClaim = all;
      pause(Pause.BUDGET);
      return false;
    }
    Objects.requireNonNull(claim).end();
    claim = all;
    wholeClaim = null;
    return true;
  }

  /**
   * A claim was granted. Not at once: the thread may be amid another connection's request, which
   * gave the bytes back.
   */
  private void wake() {
    try {
      Objects.requireNonNull(context).channel().eventLoop().execute(() -> resume(Pause.BUDGET));
    } catch (RejectedExecutionException ended) {
      // all connections are closed
    }
  }

  // ---- back-pressure

  /** Stops reading; a frame that is begun is not late for what we do. */
  void pause(Pause reason) {
    if (pauses.add(reason) && stands() && context != null) {
      deadline.stop();
      context.channel().config().setAutoRead(false);
    }
  }

  /** A quota may last for long, for which nobody keeps the memory of a frame that is half here. */
  private boolean stands() {
    return !pauses.isEmpty() && (frame == null || !ONLY_QUOTA.equals(pauses));
  }

  /** Goes on, first with what was read before, once there is no other reason to wait. */
  void resume(Pause reason) {
    if (!pauses.remove(reason) || closed || context == null) {
      return;
    }
    if (stands()) {
      forgo();
      return;
    }
    if (frame != null) {
      deadline.await();
    }
    cut(context);
    if (!stands() && !closed) {
      context.channel().config().setAutoRead(true);
    }
  }

  /** What was granted for a frame that may not begin now is for others; it is asked for anew. */
  private void forgo() {
    BytesBudget.Claim held = claim;
    if (frame == null && held != null && !pauses.contains(Pause.BUDGET)) {
      claim = null;
      held.end();
    }
  }

  boolean paused(Pause reason) {
    return pauses.contains(reason);
  }

  /**
   * Whether a frame takes longer to arrive than the slowest peer allowed would need. Any thread.
   */
  boolean late(long nowNanos) {
    return deadline.over(nowNanos, claim);
  }

  /** Whether a part of a frame is here and the rest is awaited. Any thread. */
  boolean arriving() {
    return arriving;
  }

  // ---- end

  private void refuse(ChannelHandlerContext ctx, String reason) {
    close();
    ctx.fireUserEventTriggered(new Refusal(reason));
  }

  /** The peer broke the protocol. */
  record Refusal(String reason) {}

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    close();
    ctx.fireChannelInactive();
  }

  @Override
  public void handlerRemoved(ChannelHandlerContext ctx) {
    close();
  }

  /** Drops what is not a whole frame yet. Idempotent. */
  void close() {
    if (closed) {
      return;
    }
    closed = true;
    deadline.stop();
    arriving = false;
    if (frame != null) {
      frame.release();
      frame = null;
    }
    if (rest != null) {
      rest.release();
      rest = null;
    }
    BytesBudget.Claim held = claim;
    if (held != null) {
      held.end();
      claim = null;
    }
    if (wholeClaim != null) {
      wholeClaim.end();
      wholeClaim = null;
    }
  }
}

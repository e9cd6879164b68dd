package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.DefaultMaxMessagesRecvByteBufAllocator;
import java.util.EnumSet;
import java.util.Objects;
import java.util.Set;
import java.util.function.LongSupplier;
import org.apache.kafka.common.protocol.ApiKeys;
import org.jspecify.annotations.Nullable;

/**
 * Cuts what one connection sends into frames: four bytes of length, then that many. Emits each
 * frame, without the length, as one {@link ByteBuf} whose bytes are taken from the {@link
 * BytesBudget}; whoever gets it releases both.
 *
 * <p>Mechanism. As long as no frame is begun the socket is read into a small shared buffer, of
 * which whole frames are cut: a Produce as a slice, others, which live long when they are parked
 * and are small, as a copy, so that they do not pin the shared buffer. It is as long as the frames
 * of this peer while they are of middle size, so that one read takes one or several of them, and
 * short when they are large or small.
 *
 * <p>A frame that is only begun gets a buffer of its own, which this class hands to the transport
 * as the buffer to read into: the payload of a large Produce is written once by the kernel and not
 * moved again. That buffer starts with at most {@link #EAGER_BYTES} and doubles as bytes come, so
 * that a peer is given memory for what it sent, not for what it claims.
 *
 * <p>All on the connection's event loop, but {@link #late}.
 */
final class FrameReader extends ChannelInboundHandlerAdapter {
  static final int EAGER_BYTES = 1 << 20;
  private static final int LENGTH_BYTES = 4;

  /** Api key, version, correlation id: no header is shorter. */
  private static final int FRAME_BYTES_MIN = 8;

  private static final int READ_BYTES_MIN = 4 << 10;
  private static final int READ_BYTES_MAX = 128 << 10;

  /** Frames of up to so many bytes may pass through the shared buffer; longer ones never do. */
  private static final int SHARED_BYTES_MAX = 96 << 10;

  /** Reads before other connections of the loop have their turn, while each finds more to read. */
  private static final int READS_MAX = 4;

  private static final int BYTES_PER_SECOND_MIN = 16 << 10;
  private static final long NEVER = Long.MIN_VALUE;

  /** Why nothing is read. */
  enum Pause {
    /** Too many requests wait for their answers. */
    REQUESTS,
    /** The client does not take its answers. */
    ANSWERS,
    /** The budget of bytes is spent. */
    BUDGET,
    /** The client used more than it may. */
    QUOTA,
    /** It is being found out who the client is. */
    LOGIN
  }

  private final SocketConfig.Limits limits;
  private final BytesBudget budget;
  private final LongSupplier nanoClock;
  private final Set<Pause> pauses = EnumSet.noneOf(Pause.class);

  private @Nullable ChannelHandlerContext context;
  private @Nullable ByteBuf frame;
  private int frameBytes;
  private @Nullable ByteBuf rest;
  private BytesBudget.@Nullable Claim claim;
  private boolean claimGranted;
  private boolean closed;
  private boolean cutting;
  private int readBytes = READ_BYTES_MIN;
  private int frameBytesMin = FRAME_BYTES_MIN;
  private int frameBytesMax;
  private volatile long frameSinceNanos = NEVER;
  private volatile int frameReceivedBytes;

  FrameReader(SocketConfig.Limits limits, BytesBudget budget, LongSupplier nanoClock) {
    this.limits = limits;
    this.frameBytesMax = limits.requestBytesMax();
    this.budget = budget;
    this.nanoClock = nanoClock;
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
    if (frame != null) {
      return frame.retain();
    }
    if (rest != null && rest.isWritable()) {
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
    ByteBuf both = ctx.alloc().directBuffer(Math.max(bytes, READ_BYTES_MIN));
    both.writeBytes(first).writeBytes(second);
    first.release();
    second.release();
    return both;
  }

  private void cut(ChannelHandlerContext ctx) {
    boolean outermost = !cutting;
    cutting = true;
    int frames = emit(ctx);
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
      readBytes /= 2;
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
    if (!claimed(ctx, bytes)) {
      return false;
    }
    read.skipBytes(LENGTH_BYTES);
    if (read.readableBytes() >= bytes) {
      ctx.fireChannelRead(cutOut(ctx, read, bytes));
      return true;
    }
    frame = ctx.alloc().directBuffer(Math.min(bytes, EAGER_BYTES), bytes);
    frameBytes = bytes;
    readBytes = bytes <= SHARED_BYTES_MAX ? wholeFrame(bytes) : READ_BYTES_MIN;
    frameReceivedBytes = 0;
    frameSinceNanos = nanoClock.getAsLong();
    return true;
  }

  /** Reads the next frame at once if it is like this one. */
  private int wholeFrame(int bytes) {
    return Math.max(readBytes, Integer.highestOneBit(bytes + LENGTH_BYTES - 1) << 1);
  }

  /** From the next frame on: requests of any length that is allowed. */
  void takeRequests() {
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
    if (rest != null && rest.isReadable()) {
      int bytes = Math.min(rest.readableBytes(), frameBytes - target.writerIndex());
      target.writeBytes(rest, bytes); // grows the buffer when it must
    }
    frameReceivedBytes = target.writerIndex();
    if (target.writerIndex() < frameBytes) {
      if (!target.isWritable()) {
        target.capacity((int) Math.min(frameBytes, 2L * target.capacity()));
      }
      return false;
    }
    frame = null;
    frameSinceNanos = NEVER;
    ctx.fireChannelRead(target);
    return true;
  }

  private boolean claimed(ChannelHandlerContext ctx, int bytes) {
    if (claimGranted) {
      claimGranted = false;
      claim = null;
      return true;
    }
    claim = budget.claim(bytes, () -> Connection.onLoop(ctx.channel(), this::granted));
    if (claim == null) {
      return true;
    }
    pause(Pause.BUDGET);
    return false;
  }

  private void granted() {
    if (claim != null) {
      claimGranted = true;
      resume(Pause.BUDGET);
    }
  }

  // ---- back-pressure

  /** Stops reading; a frame that is begun stays as it is, and is not late for what we do. */
  void pause(Pause reason) {
    frameSinceNanos = NEVER;
    if (pauses.add(reason) && context != null) {
      context.channel().config().setAutoRead(false);
    }
  }

  /** Goes on, first with what was read before, once there is no other reason to wait. */
  void resume(Pause reason) {
    if (!pauses.remove(reason) || !pauses.isEmpty() || closed || context == null) {
      return;
    }
    if (frame != null) {
      frameSinceNanos = nanoClock.getAsLong();
    }
    cut(context);
    if (pauses.isEmpty() && !closed) {
      context.channel().config().setAutoRead(true);
    }
  }

  boolean paused(Pause reason) {
    return pauses.contains(reason);
  }

  /**
   * Whether a frame takes longer to arrive than the slowest peer allowed would need. Any thread.
   */
  boolean late(long nowNanos) {
    long since = frameSinceNanos;
    long graceMs = limits.frameGraceMs() + frameReceivedBytes / BYTES_PER_SECOND_MIN * 1000L;
    return since != NEVER && nowNanos - since > graceMs * 1_000_000;
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
    frameSinceNanos = NEVER;
    if (frame != null) {
      frame.release();
      frame = null;
      budget.release(frameBytes);
    }
    if (rest != null) {
      rest.release();
      rest = null;
    }
    if (claim != null) {
      budget.cancel(claim);
      claim = null;
    }
  }
}

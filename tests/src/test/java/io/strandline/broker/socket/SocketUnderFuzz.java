package io.strandline.broker.socket;

import io.netty.buffer.UnpooledByteBufAllocator;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.embedded.EmbeddedChannel;
import io.strandline.broker.request.ApiTable;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.socket.memory.HeldHeap;
import io.strandline.broker.socket.memory.Shares;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.errors.UnknownServerException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.security.auth.SecurityProtocol;

/** The way from bytes to a request, without a socket; beside the classes that it opens. */
public final class SocketUnderFuzz {
  /** No frame may be longer. */
  public static final int FRAME_BYTES_MAX = 4 << 20;

  private static final SocketConfig.Limits LIMITS =
      new SocketConfig.Limits(FRAME_BYTES_MAX, 16 << 20, 64, 1 << 20, 1 << 20, 1_000, 1_000, 1_000);

  private final Dispatcher dispatcher;

  public SocketUnderFuzz() {
    ApiTable.Builder builder = ApiTable.builder();
    for (ApiKeys api : ApiKeys.values()) {
      if (api.hasValidVersion() && api.latestVersion(true) >= api.oldestVersion()) {
        builder.add(
            api,
            api.oldestVersion(),
            api.latestVersion(true),
            request -> {
              throw new UnknownServerException();
            });
      }
    }
    dispatcher = new Dispatcher(builder.build());
  }

  /**
   * What came of a stream of bytes.
   *
   * @param frames cut out, in order
   * @param refused whether the rest was refused
   * @param peakBytes of network buffers at any time
   * @param heldBytes of network buffers and of the budget when all was over; 0 unless something
   *     leaks
   */
  public record Cut(List<byte[]> frames, boolean refused, long peakBytes, long heldBytes) {}

  /** Feeds the pieces, one read each, and takes every frame at once. */
  public Cut cut(List<byte[]> pieces) {
    UnpooledByteBufAllocator allocator = new UnpooledByteBufAllocator(true);
    Shares shares = new Shares(LIMITS.bytesInFlightMax(), LIMITS.requestBytesMax(), () -> 0L);
    List<byte[]> frames = new ArrayList<>();
    boolean[] refused = {false};
    Turns turns = new Turns(LIMITS.requestsPerConnectionMax(), new HeldHeap(Long.MAX_VALUE));
    FrameReader reader =
        new FrameReader(LIMITS, shares.clients(), shares.strangers(), turns, () -> 0L);
    reader.takeRequests();
    EmbeddedChannel channel = new EmbeddedChannel(reader, new Taking(frames, refused));
    channel.config().setAllocator(allocator);
    long peak = 0;
    for (byte[] piece : pieces) {
      channel.writeInbound(allocator.directBuffer(piece.length).writeBytes(piece));
      peak = Math.max(peak, allocator.metric().usedDirectMemory());
    }
    channel.finishAndReleaseAll();
    long held =
        allocator.metric().usedDirectMemory()
            + allocator.metric().usedHeapMemory()
            + shares.usedBytes();
    return new Cut(frames, refused[0], peak, held);
  }

  private static final class Taking extends ChannelInboundHandlerAdapter {
    private final List<byte[]> frames;
    private final boolean[] refused;

    Taking(List<byte[]> frames, boolean[] refused) {
      this.frames = frames;
      this.refused = refused;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
      HeldFrame frame = (HeldFrame) message;
      byte[] bytes = new byte[frame.bytes()];
      frame.buffer().readBytes(bytes);
      frame.run();
      frames.add(bytes);
    }

    @Override
    public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
      refused[0] |= event instanceof FrameReader.Refusal;
    }
  }

  /** Header and body of a frame. */
  public Request<?> parse(ByteBuffer frame) {
    InetSocketAddress address = new InetSocketAddress(InetAddress.getLoopbackAddress(), 9);
    SocketConfig.Listener listener =
        new SocketConfig.Listener("PLAINTEXT", SecurityProtocol.PLAINTEXT, "", 0);
    return new Peer(listener, address, address, 1).parse(frame, dispatcher.table(), 0, () -> {});
  }

  /** What is answered when a handler fails; the stage never does. */
  public CompletionStage<Reply> fail(Request<?> request) {
    return dispatcher.dispatch(request);
  }
}

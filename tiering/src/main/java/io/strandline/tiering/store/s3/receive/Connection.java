package io.strandline.tiering.store.s3.receive;

import io.netty.buffer.ByteBuf;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpResponse;
import io.netty.handler.codec.http.HttpStatusClass;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import io.netty.util.ReferenceCountUtil;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;

/**
 * One connection, which carries one exchange after another. Whatever does not fit ends it: bytes
 * that nobody asked for, an answer that is not HTTP, a reader that gave up.
 *
 * <p>All in its event loop, but {@link #run} and {@link #abort}, which go there.
 */
final class Connection extends ChannelInboundHandlerAdapter {
  private final Channel channel;
  private final Connections pool;
  private final Endpoint endpoint;
  private final int silencesMax;
  private @Nullable Exchange exchange;
  private boolean interim;
  private boolean keptAlive;

  /** Of the body, not passed on yet; none if its length or what is read was not said plainly. */
  private long owedBytes;

  /** Read straight to the receiver, not yet come through the decoder. */
  private long placedBytes;

  /** Whose memory was entered last. */
  private @Nullable Receiver entered;

  /** Answered in full on a connection that can be kept; told so once the connection is free. */
  private @Nullable Exchange over;

  private int silences;

  Connection(Channel channel, Connections pool, Endpoint endpoint, int silencesMax) {
    this.channel = channel;
    this.pool = pool;
    this.endpoint = endpoint;
    this.silencesMax = silencesMax;
    channel.config().setRecvByteBufAllocator(new StraightReads(this));
  }

  Endpoint endpoint() {
    return endpoint;
  }

  boolean isOpen() {
    return channel.isActive();
  }

  void close() {
    ChannelFuture unused = channel.close();
  }

  /** Does an action in the event loop: at once if this is it. */
  void inLoop(Runnable action) {
    if (channel.eventLoop().inEventLoop()) {
      action.run();
      return;
    }
    try {
      channel.eventLoop().execute(action);
    } catch (RejectedExecutionException closed) {
      // The client was closed, and its connections with it: nobody is left to be told.
    }
  }

  /** Sends the request of an exchange; this connection is nobody else's now. */
  void run(Exchange next) {
    try {
      channel.eventLoop().execute(() -> start(next));
    } catch (RejectedExecutionException closed) {
      next.fail(new IOException("the client is closed", closed));
    }
  }

  private void start(Exchange next) {
    if (!next.on(this)) {
      pool.free(this);
      return;
    }
    if (!channel.isActive()) {
      next.fail(new IOException(endpoint + " closed the connection before it was asked"));
      return;
    }
    exchange = next;
    interim = false;
    owedBytes = 0;
    placedBytes = 0;
    silences = 0;
    ChannelFuture unused =
        channel
            .writeAndFlush(next.request())
            .addListener(
                sent -> {
                  if (!sent.isSuccess() && exchange == next) {
                    broken(new IOException("cannot ask " + endpoint, sent.cause()));
                  }
                });
  }

  /** Whoever waits for this exchange gave it up, or it failed. */
  void abort(Exchange given, Throwable why) {
    inLoop(
        () -> {
          if (exchange == given) {
            broken(why);
          }
        });
  }

  /** Ends the exchange and the connection. */
  void broken(Throwable why) {
    Exchange ended = exchange;
    Exchange answered = over;
    exchange = null;
    over = null;
    owedBytes = 0;
    close();
    if (answered != null) {
      answered.complete();
    }
    if (ended != null) {
      ended.fail(why);
    }
  }

  /** The receiver has all of the body. */
  private void ended(Exchange ended) {
    exchange = null;
    if (keptAlive) {
      over = ended; // What else was read with it may still tell that it cannot be used again.
    } else {
      close();
      ended.complete();
    }
  }

  /** Memory for the next bytes of a body; those that follow a body are never read into it. */
  @Nullable ByteBuffer enter(int maxBytes) {
    Exchange carried = exchange;
    if (carried == null || owedBytes == 0) {
      return null;
    }
    entered = carried.receiver();
    return entered.enter((int) Math.min(owedBytes, maxBytes));
  }

  /** After an {@link #enter} that gave memory, whatever became of the exchange. */
  void leave(int filledBytes) {
    placedBytes = filledBytes;
    if (entered != null) {
      entered.leave(filledBytes);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    silences = 0;
    try {
      read((HttpObject) message);
    } catch (RuntimeException e) {
      broken(e);
    }
  }

  private void read(HttpObject message) {
    if (exchange == null || message.decoderResult().isFailure()) {
      Throwable cause = message.decoderResult().cause();
      ReferenceCountUtil.release(message);
      broken(new IOException("not an answer in HTTP from " + endpoint, cause));
      return;
    }
    if (message instanceof HttpResponse head) {
      answered(head, exchange);
    }
    if (message instanceof HttpContent content && exchange != null) {
      body(content, exchange);
    }
  }

  private void answered(HttpResponse head, Exchange answered) {
    interim = head.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    if (interim) {
      return; // The answer itself is still to come.
    }
    keptAlive = HttpUtil.isKeepAlive(head);
    answered.receiver().head(new HeadOf(head));
    // What TLS brings is not the body yet.
    boolean plainly = !endpoint.tls() && !HttpUtil.isTransferEncodingChunked(head);
    owedBytes = plainly ? HttpUtil.getContentLength(head, 0L) : 0;
  }

  private record HeadOf(HttpResponse answer) implements Receiver.Head {
    @Override
    public int status() {
      return answer.status().code();
    }

    @Override
    public Optional<String> field(String name) {
      return Optional.ofNullable(answer.headers().get(name));
    }
  }

  private void body(HttpContent content, Exchange answered) {
    ByteBuf piece = content.content();
    try {
      if (interim) {
        return;
      }
      int bytes = piece.readableBytes();
      owedBytes = Math.max(0, owedBytes - bytes);
      if (placedBytes > 0) {
        placedBytes -= bytes;
      } else if (bytes > 0) {
        answered.receiver().put(piece.nioBuffer());
      }
      if (content instanceof LastHttpContent) {
        answered.receiver().end();
        ended(answered);
      }
    } finally {
      piece.release();
    }
  }

  /** Free first: whoever hears of the end may ask for more at once, on this connection. */
  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    Exchange answered = over;
    if (answered != null) {
      over = null;
      pool.free(this);
      answered.complete();
    }
  }

  /** Comes once in each span without a byte from the other side. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof IdleStateEvent) {
      if (exchange == null) {
        close();
      } else if (++silences >= silencesMax) {
        broken(new IOException(endpoint + " sends nothing"));
      }
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext context) {
    broken(new IOException(endpoint + " closed the connection before its answer's end"));
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
    broken(cause);
  }
}

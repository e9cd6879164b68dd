package io.strandline.tiering.store.s3.receive;

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
  private @Nullable Pieces pieces;
  private boolean interim;
  private boolean keptAlive;
  private boolean reading;
  private boolean spare;
  private int silences;

  Connection(Channel channel, Connections pool, Endpoint endpoint, int silencesMax) {
    this.channel = channel;
    this.pool = pool;
    this.endpoint = endpoint;
    this.silencesMax = silencesMax;
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
    pieces = null;
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
    exchange = null;
    pieces = null;
    spare = false;
    close();
    if (ended != null) {
      ended.fail(why);
    }
  }

  /** The reader of the body has all of it. */
  void bodyEnded() {
    Exchange ended = exchange;
    exchange = null;
    pieces = null;
    channel.config().setAutoRead(true); // So that a close is noticed.
    if (!keptAlive) {
      close();
    } else if (reading) {
      spare = true; // What else was read with it may still tell that it cannot be used again.
    } else {
      pool.free(this);
    }
    if (ended != null) {
      ended.complete();
    }
  }

  void readWhile(boolean hungry) {
    if (channel.config().isAutoRead() != hungry) {
      channel.config().setAutoRead(hungry);
    }
  }

  @Override
  public void channelRead(ChannelHandlerContext context, Object message) {
    reading = true;
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
    if (message instanceof HttpContent content) {
      body(content);
    }
  }

  private void answered(HttpResponse head, Exchange answered) {
    interim = head.status().codeClass() == HttpStatusClass.INFORMATIONAL;
    if (interim) {
      return; // The answer itself is still to come.
    }
    keptAlive = HttpUtil.isKeepAlive(head);
    Pieces body = new Pieces(this, head.status().codeClass() == HttpStatusClass.SUCCESS);
    pieces = body;
    answered.answered(head, body);
  }

  private void body(HttpContent content) {
    Pieces body = pieces;
    if (interim || body == null) {
      content.release();
      return;
    }
    body.add(content.content());
    if (content instanceof LastHttpContent) {
      body.end();
    }
  }

  @Override
  public void channelReadComplete(ChannelHandlerContext context) {
    reading = false;
    if (spare) {
      spare = false;
      pool.free(this);
    }
  }

  /** Comes once in each span without a byte from the other side. */
  @Override
  public void userEventTriggered(ChannelHandlerContext context, Object event) {
    if (event instanceof IdleStateEvent && channel.config().isAutoRead()) {
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

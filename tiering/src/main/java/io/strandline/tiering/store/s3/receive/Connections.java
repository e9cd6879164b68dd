package io.strandline.tiering.store.s3.receive;

import io.netty.bootstrap.Bootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.HttpClientCodec;
import io.netty.handler.codec.http.HttpDecoderConfig;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.timeout.IdleStateHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.netty.util.concurrent.Future;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/** The connections that are open, and those of them that are free, the last used first. */
final class Connections implements AutoCloseable {
  private static final int HEADERS_BYTES = 64 << 10;
  private static final int LINE_BYTES = 8 << 10;

  private static final Deque<Connection> NONE = new ArrayDeque<>(0);

  private final ReceiveConfig config;
  private final MultiThreadIoEventLoopGroup loops;
  private final Bootstrap bootstrap;
  private final Map<Endpoint, Deque<Connection>> free = new HashMap<>();
  private @Nullable SslContext trust;
  private int open;
  private boolean closed;

  Connections(ReceiveConfig config) {
    this.config = config;
    boolean epoll = Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    this.loops =
        new MultiThreadIoEventLoopGroup(
            Runtime.getRuntime().availableProcessors(),
            new DefaultThreadFactory("store-get", true),
            io);
    this.bootstrap =
        new Bootstrap()
            .group(loops)
            .channel(epoll ? EpollSocketChannel.class : NioSocketChannel.class)
            .option(ChannelOption.CONNECT_TIMEOUT_MILLIS, (int) config.connectTimeout().toMillis())
            .option(ChannelOption.SO_KEEPALIVE, true)
            .option(ChannelOption.TCP_NODELAY, true);
  }

  /**
   * Runs an exchange on a free connection or on a new one.
   *
   * @return whether there is one; if not, the exchange was not touched
   */
  boolean run(Endpoint endpoint, Exchange exchange) {
    Connection used;
    synchronized (this) {
      if (closed) {
        return false;
      }
      used = takeFree(endpoint);
      if (used == null && open >= config.connectionsMax()) {
        return false;
      }
      open += used == null ? 1 : 0;
    }
    if (used == null) {
      connect(endpoint, exchange);
    } else {
      used.run(exchange);
    }
    return true;
  }

  private @Nullable Connection takeFree(Endpoint endpoint) {
    Deque<Connection> of = free.getOrDefault(endpoint, NONE);
    Connection next = of.pollLast();
    while (next != null && !next.isOpen()) {
      next = of.pollLast();
    }
    return next;
  }

  private void connect(Endpoint endpoint, Exchange exchange) {
    try {
      SslContext context = endpoint.tls() ? trust() : null;
      ChannelFuture connecting =
          bootstrap
              .clone()
              .handler(new Line(endpoint, context))
              .connect(endpoint.host(), endpoint.port());
      ChannelFuture unused =
          connecting.addListener(
              connected -> {
                if (connected.isSuccess()) {
                  begin(connecting.channel(), exchange);
                } else {
                  gone();
                  exchange.fail(
                      new IOException("cannot connect to " + endpoint, connected.cause()));
                }
              });
    } catch (SSLException | RuntimeException e) {
      gone();
      exchange.fail(new IOException("cannot connect to " + endpoint, e));
    }
  }

  private void begin(Channel connected, Exchange exchange) {
    ChannelFuture unused = connected.closeFuture().addListener(closed -> gone());
    connected.pipeline().get(Connection.class).run(exchange);
  }

  private synchronized SslContext trust() throws SSLException {
    if (trust == null) {
      trust = config.trust().context();
    }
    return trust;
  }

  /** What a connection is made of. */
  private final class Line extends ChannelInitializer<Channel> {
    private final Endpoint endpoint;
    private final @Nullable SslContext context;

    Line(Endpoint endpoint, @Nullable SslContext context) {
      this.endpoint = endpoint;
      this.context = context;
    }

    @Override
    protected void initChannel(Channel channel) {
      if (context != null) {
        SslHandler handler = context.newHandler(channel.alloc(), endpoint.host(), endpoint.port());
        handler.setHandshakeTimeoutMillis(config.connectTimeout().toMillis());
        channel.pipeline().addLast(handler);
      }
      long idleMs = config.idle().toMillis();
      channel
          .pipeline()
          .addLast(
              new IdleStateHandler(idleMs, 0, 0, TimeUnit.MILLISECONDS),
              new HttpClientCodec(limits(), false, false),
              new Connection(channel, Connections.this, endpoint, config.silences()));
    }
  }

  private static HttpDecoderConfig limits() {
    return new HttpDecoderConfig()
        .setMaxInitialLineLength(LINE_BYTES)
        .setMaxHeaderSize(HEADERS_BYTES)
        .setMaxChunkSize(StraightReads.PIECE_BYTES);
  }

  /** Its exchange is over and left it clean. */
  synchronized void free(Connection connection) {
    if (closed) {
      connection.close();
    } else if (connection.isOpen()) {
      free.computeIfAbsent(connection.endpoint(), key -> new ArrayDeque<>()).addLast(connection);
    }
  }

  private synchronized void gone() {
    open--;
    free.values().forEach(of -> of.removeIf(connection -> !connection.isOpen()));
    free.values().removeIf(Deque::isEmpty);
  }

  /** Free connections are closed; what is under way fails when its loop ends. */
  @Override
  public void close() {
    List<Connection> idle = new ArrayList<>();
    synchronized (this) {
      closed = true;
      free.values().forEach(idle::addAll);
      free.clear();
    }
    idle.forEach(Connection::close);
    Future<?> unused = loops.shutdownGracefully(0, 2, TimeUnit.SECONDS);
  }
}

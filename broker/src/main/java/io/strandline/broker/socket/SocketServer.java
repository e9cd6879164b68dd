package io.strandline.broker.socket;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.Gauge;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.PooledByteBufAllocator;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFuture;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.ChannelOption;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.ServerChannel;
import io.netty.channel.WriteBufferWaterMark;
import io.netty.channel.epoll.Epoll;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.epoll.EpollServerSocketChannel;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.stream.ChunkedWriteHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import io.strandline.broker.guard.identity.ListenerSecurity;
import io.strandline.broker.guard.identity.NodeSecurity;
import io.strandline.broker.guard.identity.TlsEngines;
import io.strandline.broker.guard.quota.ConnectionQuotas;
import io.strandline.broker.observe.kafka.KafkaMeters;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.socket.memory.HeldHeap;
import io.strandline.broker.socket.memory.Share;
import io.strandline.broker.socket.memory.Shares;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;
import java.util.function.LongSupplier;
import java.util.function.ToLongFunction;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The listeners of a broker and the threads that serve them. Opened by {@link #start}, closed once.
 */
@SuppressWarnings("FutureReturnValueIgnored") // closing is best effort
public final class SocketServer implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(SocketServer.class);
  private static final long HANDSHAKE_MS = 10_000;
  private static final long GOOD_BYE_MS = 4_000;

  /** So much is encrypted ahead of what the peer takes. */
  private static final WriteBufferWaterMark ENCRYPTED_AHEAD =
      new WriteBufferWaterMark(128 << 10, 256 << 10);

  private final SocketConfig config;
  private final NodeSecurity security;
  private final SocketParts parts;
  private final Function<String, Executor> logins;
  private final ConnectionQuotas quotas;
  private final Counter refused;
  private final MeterRegistry metrics;
  private final KafkaMeters kafka;
  private final Map<Channel, Connection> connections = new ConcurrentHashMap<>();
  private final Set<Channel> leaving = ConcurrentHashMap.newKeySet();
  private final Set<Channel> listening = ConcurrentHashMap.newKeySet();
  private final AtomicBoolean relieving = new AtomicBoolean();
  private final List<Admission> admissions = new CopyOnWriteArrayList<>();
  private final AtomicLong nextConnection = new AtomicLong();
  private @Nullable MultiThreadIoEventLoopGroup acceptors;
  private @Nullable MultiThreadIoEventLoopGroup loops;

  /**
   * What it needs of the process.
   *
   * @param logins for the steps of log-ins at a listener, which may call handlers of the user's and
   *     wait; asked once for each
   * @param nanoClock {@code System::nanoTime} but in tests
   */
  public record Environment(
      MeterRegistry metrics,
      KafkaMeters kafka,
      Function<String, Executor> logins,
      LongSupplier nanoClock) {}

  public SocketServer(
      SocketConfig config,
      NodeSecurity security,
      ConnectionQuotas quotas,
      Dispatcher dispatcher,
      Environment process) {
    this.config = config;
    this.security = security;
    this.quotas = quotas;
    this.metrics = process.metrics();
    this.kafka = process.kafka();
    LongSupplier nanoClock = process.nanoClock();
    this.parts =
        new SocketParts(
            dispatcher,
            config.limits(),
            new Shares(
                config.limits().bytesInFlightMax(), config.limits().requestBytesMax(), nanoClock),
            new HeldHeap(config.limits().answerBytesMax()),
            new RequestMeters(metrics, kafka),
            new RefusalLog(metrics, nanoClock),
            nanoClock);
    this.logins = process.logins();
    this.refused = metrics.counter("strandline.socket.connections.refused");
    Gauge.builder("strandline.socket.connections", quotas, ConnectionQuotas::open)
        .register(metrics);
    Gauge.builder("strandline.socket.requests.used", parts.shares(), Shares::usedBytes)
        .baseUnit("bytes")
        .register(metrics);
    Gauge.builder("strandline.socket.requests.limit", parts.shares(), Shares::maxBytes)
        .baseUnit("bytes")
        .register(metrics);
  }

  /**
   * Binds all listeners and begins to serve.
   *
   * @return the port really bound, by listener name
   * @throws UncheckedIOException when one cannot be bound; nothing is left open then
   */
  public Map<String, Integer> start() {
    boolean epoll = config.nativeTransport() && Epoll.isAvailable();
    IoHandlerFactory io = epoll ? EpollIoHandler.newFactory() : NioIoHandler.newFactory();
    acceptors = new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("accept"), io);
    loops =
        new MultiThreadIoEventLoopGroup(
            config.eventLoops(), new DefaultThreadFactory("socket"), io);
    loops.forEach(loop -> loop.execute(SocketServer::prepare));
    Map<String, Integer> ports = new LinkedHashMap<>();
    try {
      for (SocketConfig.Listener listener : config.listeners()) {
        ports.put(listener.name(), bind(listener, epoll, acceptors, loops));
      }
    } catch (IOException failure) {
      close();
      throw new UncheckedIOException(failure);
    } catch (RuntimeException failure) {
      close();
      throw failure;
    }
    MultiThreadIoEventLoopGroup relief = acceptors;
    parts
        .heap()
        .whenFull(
            () -> {
              if (!relief.isShuttingDown() && relieving.compareAndSet(false, true)) {
                relief.execute(this::relieve);
              }
            });
    LoopLoad load = new LoopLoad(loops, metrics, kafka, parts.nanoClock());
    long everyMs = Math.max(10, Math.min(1000, shortestDeadlineMs() / 4));
    var unused =
        acceptors.scheduleAtFixedRate(
            () -> lookAfterAll(load), everyMs, everyMs, TimeUnit.MILLISECONDS);
    return ports;
  }

  /** A step that fails keeps neither the others from being done nor itself from the next time. */
  private void lookAfterAll(LoopLoad load) {
    List<Runnable> steps =
        List.of(
            this::closeOverdue,
            this::closeExcess,
            () -> admissions.forEach(Admission::mayGoOn), // as bounds may have been raised
            parts.refusals()::sumUp,
            load::sample);
    for (Runnable step : steps) {
      try {
        step.run();
      } catch (RuntimeException | Error failure) {
        LOG.atError().setCause(failure).log("could not look after all connections");
      }
    }
  }

  /**
   * A loop's first buffers are cut from chunks of megabytes, which its first client would await.
   */
  private static void prepare() {
    PooledByteBufAllocator.DEFAULT.directBuffer(1).release();
    PooledByteBufAllocator.DEFAULT.heapBuffer(1).release();
  }

  private long shortestDeadlineMs() {
    SocketConfig.Limits limits = config.limits();
    return Math.min(limits.idleMs(), Math.min(limits.frameGraceMs(), limits.unsentGraceMs()));
  }

  private int bind(
      SocketConfig.Listener listener,
      boolean epoll,
      MultiThreadIoEventLoopGroup acceptLoop,
      MultiThreadIoEventLoopGroup workLoops)
      throws IOException {
    Class<? extends ServerChannel> type =
        epoll ? EpollServerSocketChannel.class : NioServerSocketChannel.class;
    ListenerMeters meters = new ListenerMeters(listener.name(), kafka);
    Admission admission = new Admission(listener.name(), quotas, meters, parts, refused);
    admissions.add(admission);
    ServerBootstrap bootstrap =
        new ServerBootstrap()
            .group(acceptLoop, workLoops)
            .channel(type)
            .option(ChannelOption.SO_BACKLOG, config.backlog())
            .option(ChannelOption.SO_REUSEADDR, true)
            .childOption(ChannelOption.TCP_NODELAY, true)
            .childOption(ChannelOption.SO_KEEPALIVE, true)
            .childOption(ChannelOption.ALLOCATOR, PooledByteBufAllocator.DEFAULT)
            .childOption(
                ChannelOption.WRITE_BUFFER_WATER_MARK,
                new WriteBufferWaterMark(Integer.MAX_VALUE - 1, Integer.MAX_VALUE))
            .handler(admission)
            .childHandler(new Accept(listener, meters));
    if (config.sendBufferBytes() > 0) {
      bootstrap.childOption(ChannelOption.SO_SNDBUF, config.sendBufferBytes());
    }
    if (config.receiveBufferBytes() > 0) {
      bootstrap.option(ChannelOption.SO_RCVBUF, config.receiveBufferBytes());
    }
    InetSocketAddress address =
        listener.host().isEmpty()
            ? new InetSocketAddress(listener.port())
            : new InetSocketAddress(listener.host(), listener.port());
    var bound = bootstrap.bind(address).awaitUninterruptibly();
    if (!bound.isSuccess()) {
      throw new IOException("listener " + listener.name() + " at " + address, bound.cause());
    }
    listening.add(bound.channel());
    return ((InetSocketAddress) bound.channel().localAddress()).getPort();
  }

  /** Makes a pipeline for each connection that has entered. */
  private final class Accept extends ChannelInitializer<Channel> {
    private final SocketConfig.Listener listener;
    private final ListenerSecurity door;
    private final ListenerMeters meters;
    private final Executor slow;

    Accept(SocketConfig.Listener listener, ListenerMeters meters) {
      this.listener = listener;
      this.door = security.of(listener.name());
      this.meters = meters;
      this.slow = logins.apply(listener.name());
    }

    @Override
    protected void initChannel(Channel channel) {
      InetSocketAddress remote = (InetSocketAddress) channel.remoteAddress();
      meters.opened();
      channel.closeFuture().addListener(closed -> left(channel));
      Shares shares = parts.shares();
      Share own = quotas.sheltered(listener.name()) ? shares.brokers() : shares.clients();
      Turns turns = new Turns(parts.limits().requestsPerConnectionMax(), parts.heap());
      FrameReader reader =
          new FrameReader(parts.limits(), own, shares.strangers(), turns, parts.nanoClock());
      Peer peer =
          new Peer(
              listener,
              (InetSocketAddress) channel.localAddress(),
              remote,
              nextConnection.getAndIncrement());
      Authentication authentication =
          new Authentication(door, peer, meters, slow, parts.nanoClock());
      authentication.expect(reader);
      Connection connection = new Connection(peer, reader, turns, authentication, parts);
      connections.put(channel, connection);
      if (door.tls().isPresent()) {
        encrypt(channel, door.tls().get(), remote);
      } else {
        channel.config().setRecvByteBufAllocator(reader.allocator());
      }
      channel.pipeline().addLast(reader, connection);
      if (quotas.sheltered(listener.name())) {
        closeExcess(); // it may have taken the last place
      }
    }

    private void left(Channel channel) {
      meters.closed();
      connections.remove(channel);
      leaving.remove(channel);
      admissions.forEach(Admission::mayGoOn);
    }
  }

  private static void encrypt(Channel channel, TlsEngines tls, InetSocketAddress remote) {
    SslHandler handler =
        new SslHandler(tls.engine(remote.getAddress().getHostAddress(), remote.getPort()));
    handler.setHandshakeTimeoutMillis(HANDSHAKE_MS);
    channel.config().setWriteBufferWaterMark(ENCRYPTED_AHEAD);
    channel.pipeline().addLast(handler, new ChunkedWriteHandler());
  }

  /** Closes connections whose time is over; returns how many. */
  int closeOverdue() {
    long now = parts.nanoClock().getAsLong();
    List<Channel> overdue = new ArrayList<>();
    connections.forEach(
        (channel, connection) -> {
          String reason = connection.overdue(now);
          if (reason != null) {
            overdue.add(channel);
            Connection.onLoop(channel, () -> connection.refuse(channel, reason));
          }
        });
    return overdue.size();
  }

  /** Closes those unused for the longest while more are open than may be. */
  private synchronized void closeExcess() {
    int excess = quotas.excess() - leaving.size();
    if (excess <= 0) {
      return;
    }
    for (Channel channel : ranked(connections, Connection::activeNanos).keySet()) {
      Connection connection = connections.get(channel);
      boolean stays = connection != null && quotas.sheltered(connection.listener());
      if (excess <= 0) {
        return;
      }
      if (!stays && !leaving.contains(channel)) {
        excess--; // also by one that has just gone
        if (connection != null && leaves(channel)) {
          Connection.onLoop(channel, () -> connection.refuse(channel, "others need the place"));
        }
      }
    }
  }

  /** From the lowest value on, each asked for once: they change while they are compared. */
  static <K, V> Map<K, Long> ranked(Map<K, V> all, ToLongFunction<V> value) {
    List<Map.Entry<K, Long>> asked = new ArrayList<>();
    all.forEach((key, of) -> asked.add(Map.entry(key, value.applyAsLong(of))));
    asked.sort(Map.Entry.comparingByValue());
    Map<K, Long> ranked = new LinkedHashMap<>();
    asked.forEach(one -> ranked.put(one.getKey(), one.getValue()));
    return ranked;
  }

  /** Notes that it is about to be closed; false when that is known, or when it is gone. */
  private boolean leaves(Channel channel) {
    boolean news = leaving.add(channel);
    if (!connections.containsKey(channel)) {
      leaving.remove(channel); // it left before it was noted
      return false;
    }
    return news;
  }

  /** Closes those whose requests and answers take the most heap, until enough of it is free. */
  private synchronized void relieve() {
    relieving.set(false);
    long excess = parts.heap().excessBytes();
    if (excess <= 0) {
      return;
    }
    Map<Channel, Long> holders = ranked(connections, connection -> -connection.heapBytes());
    for (Map.Entry<Channel, Long> holder : holders.entrySet()) {
      Channel channel = holder.getKey();
      Connection connection = connections.get(channel);
      if (excess <= 0 || holder.getValue() == 0) {
        return;
      }
      if (connection != null) {
        excess += holder.getValue(); // below zero, so that the largest are the first
        if (leaves(channel)) {
          Connection.onLoop(
              channel,
              () -> connection.refuse(channel, "its requests and answers take too much memory"));
        }
      }
    }
  }

  /** How many connections are open. */
  int connections() {
    return quotas.open();
  }

  /** Each says good-bye to its peer, who may not listen: that takes no longer for many. */
  private void closeAll() {
    List<ChannelFuture> closing = new ArrayList<>();
    connections.keySet().forEach(channel -> closing.add(channel.close()));
    long deadline = parts.nanoClock().getAsLong() + TimeUnit.MILLISECONDS.toNanos(GOOD_BYE_MS);
    for (ChannelFuture one : closing) {
      long leftMs = TimeUnit.NANOSECONDS.toMillis(deadline - parts.nanoClock().getAsLong());
      one.awaitUninterruptibly(Math.max(0, leftMs));
    }
  }

  /** Stops listening, closes all connections and ends the threads. Idempotent. */
  @Override
  public void close() {
    listening.forEach(channel -> channel.close().awaitUninterruptibly());
    listening.clear();
    closeAll();
    for (MultiThreadIoEventLoopGroup group : new MultiThreadIoEventLoopGroup[] {acceptors, loops}) {
      if (group != null) {
        group.shutdownGracefully(0, 5, TimeUnit.SECONDS).awaitUninterruptibly();
      }
    }
  }
}

package io.strandline.broker.socket;

import static org.assertj.core.api.Assertions.assertThat;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.channel.Channel;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.IoHandle;
import io.netty.channel.IoHandler;
import io.netty.channel.IoHandlerContext;
import io.netty.channel.IoHandlerFactory;
import io.netty.channel.IoRegistration;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.util.concurrent.ThreadAwareExecutor;
import io.strandline.broker.guard.quota.ConnectionLimits;
import io.strandline.broker.guard.quota.ConnectionLimits.Bound;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Who is let in when many are there already. */
@Timeout(60)
class AdmissionTest {
  private static final int ANY = Integer.MAX_VALUE;

  @Test
  void whoIsOneTooManyWaitsUntilSomebodyLeaves() {
    try (SocketFixture fixture = fixture(new Bound(2, ANY), ANY, Map.of());
        SocketClient first = fixture.client();
        SocketClient second = fixture.client()) {
      exchange(first);
      exchange(second);
      try (SocketClient third = fixture.client();
          SocketClient fourth = fixture.client()) {
        third.send(SocketClient.versions(3));
        fourth.send(SocketClient.versions(4));
        exchange(second);
        assertThat(fixture.server.connections()).isEqualTo(2);
        first.close();
        third.receive(3);
        assertThat(fixture.server.connections()).isEqualTo(2);
        third.close();
        fourth.receive(4);
      }
    }
  }

  @Test
  void aHigherBoundLetsThoseInWhoWait() {
    try (SocketFixture fixture = fixture(new Bound(1, ANY), ANY, Map.of());
        SocketClient first = fixture.client();
        SocketClient second = fixture.client()) {
      exchange(first);
      second.send(SocketClient.versions(2));
      exchange(first);
      fixture.quotas.set(limits(new Bound(2, ANY), ANY, Map.of()));
      second.receive(2);
    }
  }

  @Test
  void aLowerBoundEndsTheConnectionsUnusedForTheLongest() {
    // One loop: it has seen an answer off before it reads what comes after.
    try (SocketFixture fixture =
            new SocketFixture(
                c -> new SocketConfig(c.listeners(), 1, true, c.backlog(), -1, -1, c.limits()),
                limits(new Bound(3, ANY), ANY, Map.of()));
        SocketClient first = fixture.client();
        SocketClient second = fixture.client();
        SocketClient third = fixture.client()) {
      exchange(third);
      exchange(first);
      exchange(second);
      exchange(first);
      fixture.quotas.set(limits(new Bound(1, ANY), ANY, Map.of()));
      assertThat(third.closedByServer()).isTrue();
      assertThat(second.closedByServer()).isTrue();
      exchange(first);
    }
  }

  /** As the times do at which connections were last used. */
  @Test
  void whatChangesWhileItIsComparedIsRankedAllTheSame() {
    Random random = new Random(1);
    Map<Integer, Integer> all = new HashMap<>();
    for (int i = 0; i < 10_000; i++) {
      all.put(i, i);
    }
    assertThat(List.copyOf(SocketServer.ranked(all, i -> random.nextLong()).values()))
        .hasSize(10_000)
        .isSorted();
  }

  @Test
  void anAddressMayHaveSoManyAndNoMore() {
    try (SocketFixture fixture = fixture(Bound.NONE, 2, Map.of());
        SocketClient first = fixture.client();
        SocketClient second = fixture.client()) {
      exchange(first);
      exchange(second);
      try (SocketClient third = fixture.client()) {
        assertThat(third.closedByServer()).isTrue();
      }
      first.close();
      await(fixture, 1);
      try (SocketClient third = fixture.client()) {
        exchange(third);
      }
    }
  }

  /** A loop whose selector is spent, and one that has ended. */
  @ParameterizedTest
  @ValueSource(booleans = {false, true})
  void aConnectionThatNoLoopTakesKeepsNoPlace(boolean ended) throws Exception {
    IoHandlerFactory refusing = executor -> new Refusing(NioIoHandler.newFactory(), executor);
    var acceptor = new MultiThreadIoEventLoopGroup(1, NioIoHandler.newFactory());
    var loop = new MultiThreadIoEventLoopGroup(1, refusing);
    try (SocketFixture others = fixture(Bound.NONE, 2, Map.of())) {
      if (ended) {
        loop.shutdownGracefully(0, 20, TimeUnit.SECONDS).sync();
      }
      Channel listening =
          new ServerBootstrap()
              .group(acceptor, loop)
              .channel(NioServerSocketChannel.class)
              .handler(others.admission())
              .childHandler(new ChannelInboundHandlerAdapter())
              .bind("127.0.0.1", 0)
              .sync()
              .channel();
      int port = ((InetSocketAddress) listening.localAddress()).getPort();
      try (SocketClient client = new SocketClient(port)) {
        assertThat(client.closedByServer()).isTrue();
      }
      await(others, 0);
    } finally {
      acceptor.shutdownGracefully(0, 20, TimeUnit.SECONDS).sync();
      loop.shutdownGracefully(0, 20, TimeUnit.SECONDS).sync();
    }
  }

  /** Registers nothing. */
  private record Refusing(IoHandler of) implements IoHandler {
    Refusing(IoHandlerFactory factory, ThreadAwareExecutor executor) {
      this(factory.newHandler(executor));
    }

    @Override
    public void initialize() {
      of.initialize();
    }

    @Override
    public int run(IoHandlerContext context) {
      return of.run(context);
    }

    @Override
    public void prepareToDestroy() {
      of.prepareToDestroy();
    }

    @Override
    public void destroy() {
      of.destroy();
    }

    @Override
    public IoRegistration register(IoHandle handle) throws IOException {
      throw new IOException("no space left");
    }

    @Override
    public void wakeup() {
      of.wakeup();
    }

    @Override
    public boolean isCompatible(Class<? extends IoHandle> type) {
      return of.isCompatible(type);
    }
  }

  @Test
  void anAddressMayHaveALimitOfItsOwn() {
    Map<InetAddress, Integer> own = Map.of(InetAddress.getLoopbackAddress(), 1);
    try (SocketFixture fixture = fixture(Bound.NONE, 100, own);
        SocketClient first = fixture.client()) {
      exchange(first);
      try (SocketClient second = fixture.client()) {
        assertThat(second.closedByServer()).isTrue();
      }
    }
  }

  @Test
  void whoComesTooFastIsLetInLater() {
    try (SocketFixture fixture = fixture(new Bound(ANY, 1), ANY, Map.of())) {
      SocketClient[] clients = new SocketClient[14];
      for (int i = 0; i < clients.length; i++) {
        clients[i] = fixture.client();
        clients[i].send(SocketClient.versions(i));
      }
      for (int i = 0; i < clients.length; i++) {
        clients[i].receive(i);
        clients[i].close();
      }
      assertThat(told(fixture, "connection-accept-throttle-time")).isPositive();
      assertThat(told(fixture, "connection-accept-rate")).isPositive();
    }
  }

  @Test
  void anAddressThatComesTooFastIsLeftAloneAndThenClosed() throws Exception {
    try (SocketFixture fixture = new SocketFixture(c -> c)) {
      fixture.quotas.set(Optional.of(InetAddress.getLoopbackAddress()), Optional.of(1));
      boolean[] closed = {false};
      for (int i = 0; i < 200 && !closed[0]; i++) {
        try (SocketClient client = fixture.client()) {
          client.send(SocketClient.versions(i));
          closed[0] = client.closedByServer();
        } catch (java.io.UncheckedIOException reset) {
          closed[0] = true;
        }
      }
      assertThat(closed[0]).isTrue();
      assertThat(told(fixture, "ip-connection-accept-throttle-time"))
          .isPositive()
          .isLessThanOrEqualTo(1000);
      assertThat(fixture.metrics.get("strandline.socket.connections.refused").counter().count())
          .isPositive();
      fixture.quotas.set(Optional.of(InetAddress.getLoopbackAddress()), Optional.empty());
      try (SocketClient client = fixture.client()) {
        exchange(client);
      }
    }
  }

  /** A figure of Kafka's registry. */
  private static double told(SocketFixture fixture, String name) {
    return fixture.kafkaMetrics.metrics().values().stream()
        .filter(metric -> metric.metricName().name().equals(name))
        .mapToDouble(metric -> (double) metric.metricValue())
        .sum();
  }

  private static SocketFixture fixture(Bound of, int perAddress, Map<InetAddress, Integer> own) {
    return new SocketFixture(c -> c, limits(of, perAddress, own));
  }

  private static ConnectionLimits limits(Bound of, int perIp, Map<InetAddress, Integer> own) {
    return new ConnectionLimits(
        of, Map.of("PLAINTEXT", of), perIp, new ConnectionLimits.Overrides("", own));
  }

  private static void await(SocketFixture fixture, int open) {
    SocketFixture.await(open + " connections", () -> fixture.server.connections() == open);
  }

  private static void exchange(SocketClient client) {
    client.send(SocketClient.versions(5));
    client.receive(5);
  }
}

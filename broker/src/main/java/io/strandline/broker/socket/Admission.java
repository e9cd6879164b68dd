package io.strandline.broker.socket;

import io.micrometer.core.instrument.Counter;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.strandline.broker.guard.quota.ConnectionQuotas;
import io.strandline.broker.guard.quota.ConnectionQuotas.Verdict;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * Lets the new connections of one listener in, one after the other, as fast as quotas allow.
 *
 * <p>While they come too fast, or while there is no room, nothing is accepted: what was accepted
 * already (as many as one read brings) waits here, the others wait in the system's queue. A
 * connection whose address is too fast is left alone and closed later, so that its client does not
 * come again at once.
 *
 * <p>All on the loop that accepts, but {@link #mayGoOn}.
 */
final class Admission extends ChannelInboundHandlerAdapter {
  /** So many are left alone at a time; one more is closed at once. */
  private static final int LEFT_ALONE_MAX = 1024;

  private final String listener;
  private final ConnectionQuotas quotas;
  private final ListenerMeters meters;
  private final SocketParts parts;
  private final Counter refused;
  private final Deque<Channel> arrived = new ArrayDeque<>();
  private final Set<Channel> leftAlone = new HashSet<>();
  private boolean counted;
  private boolean tooEarly;
  private long blockedSinceNanos;
  private volatile boolean blocked;
  private volatile @Nullable ChannelHandlerContext context;

  Admission(
      String listener,
      ConnectionQuotas quotas,
      ListenerMeters meters,
      SocketParts parts,
      Counter refused) {
    this.listener = listener;
    this.quotas = quotas;
    this.meters = meters;
    this.parts = parts;
    this.refused = refused;
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    context = ctx;
  }

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    arrived.add((Channel) message);
    admit(ctx);
  }

  /** There may be room again. Any thread. */
  void mayGoOn() {
    ChannelHandlerContext ctx = context;
    if (blocked && ctx != null && !ctx.executor().isShuttingDown()) {
      ctx.executor().execute(() -> admit(ctx));
    }
  }

  private void admit(ChannelHandlerContext ctx) {
    while (!arrived.isEmpty()) {
      if (!counted) {
        counted = true;
        long waitMs = quotas.arrived(listener);
        if (waitMs > 0) {
          tooEarly = true;
          var unused = ctx.executor().schedule(() -> inTime(ctx), waitMs, TimeUnit.MILLISECONDS);
        }
      }
      if (tooEarly || !quotas.room(listener)) {
        block(ctx);
        return;
      }
      counted = false;
      judge(ctx, arrived.remove());
    }
    if (blocked) {
      blocked = false;
      meters.blocked(parts.nanoClock().getAsLong() - blockedSinceNanos);
      ctx.channel().config().setAutoRead(true);
    }
  }

  private void inTime(ChannelHandlerContext ctx) {
    tooEarly = false;
    admit(ctx);
  }

  private void block(ChannelHandlerContext ctx) {
    ctx.channel().config().setAutoRead(false);
    if (!blocked) {
      blocked = true;
      blockedSinceNanos = parts.nanoClock().getAsLong();
    }
  }

  private void judge(ChannelHandlerContext ctx, Channel connection) {
    InetSocketAddress remote = (InetSocketAddress) connection.remoteAddress();
    if (remote == null) {
      connection.unsafe().closeForcibly(); // gone before it was served
      return;
    }
    InetAddress address = remote.getAddress();
    Verdict verdict = quotas.enter(listener, address);
    if (verdict instanceof Verdict.TooFast tooFast) {
      leaveAlone(ctx, connection, tooFast.closeAfterMs());
    } else if (verdict instanceof Verdict.TooMany) {
      refused.increment();
      parts.refusals().refused(address.getHostAddress(), listener, "too many are open");
      connection.unsafe().closeForcibly();
    } else {
      handOn(ctx, connection, address);
    }
  }

  /** Its place is free again when it is closed, also when no loop has ever taken it over. */
  private void handOn(ChannelHandlerContext ctx, Channel connection, InetAddress address) {
    AtomicBoolean left = new AtomicBoolean();
    Runnable leave =
        () -> {
          if (left.compareAndSet(false, true)) {
            quotas.left(listener, address);
          }
        };
    var unused = connection.closeFuture().addListener(closed -> leave.run());
    ctx.fireChannelRead(connection);
    if (!connection.isOpen()) {
      leave.run(); // a loop that has ended tells nobody
    }
  }

  private void leaveAlone(ChannelHandlerContext ctx, Channel connection, long forMs) {
    refused.increment();
    if (leftAlone.size() >= LEFT_ALONE_MAX) {
      connection.unsafe().closeForcibly();
      return;
    }
    leftAlone.add(connection);
    var unused =
        ctx.executor()
            .schedule(
                () -> {
                  leftAlone.remove(connection);
                  connection.unsafe().closeForcibly();
                },
                forMs,
                TimeUnit.MILLISECONDS);
  }

  /** The listener is closed. */
  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    arrived.forEach(connection -> connection.unsafe().closeForcibly());
    arrived.clear();
    leftAlone.forEach(connection -> connection.unsafe().closeForcibly());
    leftAlone.clear();
    ctx.fireChannelInactive();
  }
}

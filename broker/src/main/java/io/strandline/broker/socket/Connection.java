package io.strandline.broker.socket;

import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.handler.codec.DecoderException;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslHandshakeCompletionEvent;
import io.strandline.broker.request.Dispatcher;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import io.strandline.broker.socket.memory.HeldHeap;
import java.net.SocketException;
import java.nio.channels.ClosedChannelException;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.requests.AbstractResponse;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection: its requests in order, their answers in the same order.
 *
 * <p>Invariants
 *
 * <ul>
 *   <li>Answers leave in the order of their requests.
 *   <li>A request is served alone, as in Kafka, but for a Produce: those of one connection are
 *       handed on in order without awaiting each other's answers, so that a producer's pipeline
 *       fills.
 *   <li>No new request is served while more than {@code unsentBytesMax} of answers wait to be sent.
 *   <li>Each frame and each reply is released once, also when the connection is lost.
 * </ul>
 *
 * <p>All on the connection's event loop, but {@link #overdue}.
 */
final class Connection extends ChannelInboundHandlerAdapter {
  private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

  private final Peer peer;
  private final Dispatcher dispatcher;
  private final SocketConfig.Limits limits;
  private final LongSupplier nanoClock;
  private final FrameReader reader;
  private final Authentication authentication;
  private final HeldHeap heap;
  private final RequestMeters meters;
  private final RefusalLog refusals;
  private final Turns turns;
  private @Nullable ReplyWriter writer;
  private @Nullable Exchange login;
  private boolean starting;
  private boolean flushDue;
  private @Nullable Throttling throttling;
  private boolean closed;
  private volatile long activeNanos;
  private volatile boolean busy;

  Connection(
      Peer peer,
      FrameReader reader,
      Turns turns,
      Authentication authentication,
      SocketParts parts) {
    this.peer = peer;
    this.turns = turns;
    this.authentication = authentication;
    this.dispatcher = parts.dispatcher();
    this.limits = parts.limits();
    this.nanoClock = parts.nanoClock();
    this.heap = parts.heap();
    this.meters = parts.meters();
    this.refusals = parts.refusals();
    this.reader = reader;
    this.activeNanos = nanoClock.getAsLong();
  }

  @Override
  public void handlerAdded(ChannelHandlerContext ctx) {
    writer = new ReplyWriter(ctx, nanoClock, heap, this::sent);
    throttling = new Throttling(ctx.channel(), reader, () -> settle(ctx.channel()));
  }

  // ---- requests in

  @Override
  public void channelRead(ChannelHandlerContext ctx, Object message) {
    HeldFrame frame = (HeldFrame) message;
    if (closed) {
      frame.run();
      return;
    }
    activeNanos = nanoClock.getAsLong();
    busy = true;
    if (authentication.takesRawToken()) {
      takeToken(ctx, frame);
      return;
    }
    Exchange exchange;
    try {
      boolean known = authentication.known();
      Request<?> request =
          peer.parse(frame.buffer().nioBuffer(), dispatcher.table(), activeNanos, frame);
      boolean ofLogin = authentication.claims(request, activeNanos);
      exchange = new Exchange(request, frame, known && !ofLogin);
      if (ofLogin) {
        login = exchange;
        reader.pause(FrameReader.Pause.LOGIN);
      }
    } catch (InvalidRequestException | IllegalArgumentException violation) {
      frame.run();
      refuse(ctx.channel(), RefusalLog.reason(violation));
      return;
    } catch (RuntimeException | Error failure) {
      frame.run();
      throw failure;
    }
    turns.add(exchange);
    if (turns.full()) {
      reader.pause(FrameReader.Pause.REQUESTS);
    }
    start(ctx.channel());
  }

  private void start(Channel channel) {
    if (starting) {
      return; // an answer came while its request was being handed on: the loop below goes on
    }
    starting = true;
    for (Exchange next = next(); next != null; next = next()) {
      Exchange exchange = next;
      exchange.began(nanoClock.getAsLong());
      if (exchange == login) {
        logIn(channel, exchange);
        exchange.returned(nanoClock.getAsLong());
        continue;
      }
      dispatcher
          .dispatch(exchange.request())
          .thenAccept(
              reply -> {
                exchange.answered(nanoClock.getAsLong());
                if (!onLoop(channel, () -> answered(channel, exchange, reply))) {
                  reply.done();
                }
              });
      exchange.returned(nanoClock.getAsLong());
      if (!closed) {
        turns.returned(exchange);
      }
    }
    starting = false;
  }

  private @Nullable Exchange next() {
    boolean held =
        closed
            || reader.paused(FrameReader.Pause.ANSWERS)
            || (reader.paused(FrameReader.Pause.QUOTA) && !turns.holdMuch());
    return held ? null : turns.next();
  }

  // ---- log-ins

  private void logIn(Channel channel, Exchange exchange) {
    authentication
        .serve(exchange.request())
        .whenComplete(
            (reply, failure) ->
                onLoop(
                    channel,
                    () -> {
                      exchange.answered(nanoClock.getAsLong());
                      Runnable answer =
                          failure == null ? () -> answered(channel, exchange, reply) : () -> {};
                      loggedIn(channel, answer, failure);
                    }));
  }

  private void takeToken(ChannelHandlerContext ctx, HeldFrame token) {
    reader.pause(FrameReader.Pause.LOGIN);
    var step = authentication.serve(token.buffer());
    token.run();
    step.whenComplete(
        (challenge, failure) ->
            onLoop(
                ctx.channel(),
                () ->
                    loggedIn(
                        ctx.channel(),
                        () -> {
                          busy = false;
                          if (failure == null && !closed) {
                            var unused =
                                ctx.writeAndFlush(
                                    ctx.alloc()
                                        .buffer(Integer.BYTES + challenge.length)
                                        .writeInt(challenge.length)
                                        .writeBytes(challenge),
                                    ctx.voidPromise());
                          }
                        },
                        failure)));
  }

  /**
   * A step of a log-in is done: answers, goes on or, after a while, ends. Of a failure only its
   * class is told: it may be a handler of the user's that says the password.
   */
  private void loggedIn(Channel channel, Runnable answer, @Nullable Throwable failure) {
    boolean refused = authentication.settle() || failure != null;
    if (!refused || closed) {
      login = null;
      authentication.expect(reader);
      answer.run();
      reader.resume(FrameReader.Pause.LOGIN);
      return;
    }
    Runnable end =
        () -> {
          answer.run();
          String with =
              failure == null ? "" : " with " + Dispatcher.cause(failure).getClass().getName();
          refuse(channel, authentication.attempt() + " failed" + with);
        };
    var unused =
        channel.eventLoop().schedule(end, authentication.failureDelayMs(), TimeUnit.MILLISECONDS);
  }

  /** The frames of one read were handed on. */
  @Override
  public void channelReadComplete(ChannelHandlerContext ctx) {
    if (flushDue) {
      flushDue = false;
      ctx.flush();
    }
  }

  // ---- answers out

  private void answered(Channel channel, Exchange exchange, Reply reply) {
    if (closed) {
      reply.done();
      meters.unsent(exchange, nanoClock.getAsLong());
      return;
    }
    turns.answered(exchange, reply);
    boolean wrote = false;
    for (Exchange first = turns.done(); first != null; first = turns.done()) {
      wrote |= write(channel, first, Objects.requireNonNull(first.reply()));
    }
    if (wrote && reader.cutting()) {
      flushDue = true; // the next frame of the same read may be answered at once too
    } else if (wrote) {
      channel.flush();
    }
    settle(channel);
  }

  /** Writes without flushing; false when there was nothing to write. */
  private boolean write(Channel channel, Exchange exchange, Reply reply) {
    exchange.writing(nanoClock.getAsLong());
    AbstractResponse response = reply.response();
    try {
      charge(exchange, response);
    } catch (RuntimeException | Error failure) { // of the user's callback, perhaps
      meters.unsent(exchange, nanoClock.getAsLong());
      abandon(channel, exchange, reply, "request could not be charged", failure);
      return false;
    }
    if (reply.closesConnection() || response == null || writer == null) {
      reply.done();
      meters.unsent(exchange, nanoClock.getAsLong());
      if (reply.closesConnection()) {
        channel.flush();
        refuse(channel, "request has no error answer");
      }
      return false;
    }
    Request<?> request = exchange.request();
    try {
      Runnable whenDone =
          () -> {
            reply.done();
            meters.sent(exchange, nanoClock.getAsLong());
          };
      exchange.responseBytes(writer.write(request.context().buildResponseSend(response), whenDone));
      meters.errors(exchange, response);
      reply.encoded();
    } catch (Exception failure) {
      abandon(channel, exchange, reply, "response could not be encoded", failure);
      return false;
    }
    if (writer.unsentBytes() > limits.unsentBytesMax() || heap.full()) {
      reader.pause(FrameReader.Pause.ANSWERS);
    }
    return true;
  }

  /** What comes behind an answer that is not sent would be taken for it. */
  private void abandon(
      Channel channel, Exchange exchange, Reply reply, String why, Throwable failure) {
    reply.done();
    LOG.atError()
        .addKeyValue("api", exchange.request().api())
        .addKeyValue("version", exchange.request().version())
        .setCause(failure)
        .log(why);
    refuse(channel, why);
  }

  /** The answer goes out at once and says how long its client has to wait (KIP-219). */
  private void charge(Exchange exchange, @Nullable AbstractResponse response) {
    if (throttling == null || !exchange.charged()) {
      return; // as in Kafka nobody is charged for a log-in: it is not known yet whom it would be
    }
    int throttleMs = dispatcher.quotas().charge(exchange.usage(response), throttling);
    if (throttleMs > 0) {
      exchange.throttle(throttleMs);
      if (response != null) {
        response.maybeSetThrottleTimeMs(throttleMs);
      }
    }
  }

  /** Some bytes of answers were sent. */
  private void sent(Channel channel) {
    activeNanos = nanoClock.getAsLong();
    if (reader.paused(FrameReader.Pause.ANSWERS)
        && writer != null
        && writer.unsentBytes() <= limits.unsentBytesMax() / 2) {
      reader.resume(FrameReader.Pause.ANSWERS);
    }
    settle(channel);
  }

  private void settle(Channel channel) {
    start(channel);
    if (!turns.full()) {
      reader.resume(FrameReader.Pause.REQUESTS);
    }
    busy = !turns.isEmpty() || (writer != null && writer.unsentBytes() > 0);
    activeNanos = nanoClock.getAsLong();
  }

  // ---- deadlines

  String listener() {
    return peer.listener();
  }

  /** The heap that its client's requests and answers take. Any thread. */
  long heapBytes() {
    ReplyWriter w = writer;
    return turns.heapBytes() + (w == null ? 0 : w.heapBytes());
  }

  /** When it was last used. Any thread. */
  long activeNanos() {
    return activeNanos;
  }

  /** Why the connection should be closed now, null when it should not. Any thread. */
  @Nullable String overdue(long nowNanos) {
    if (reader.late(nowNanos)) {
      return "frame did not arrive in time";
    }
    if (authentication.late(nowNanos, limits.frameGraceMs())) {
      return "did not say in time who it is";
    }
    ReplyWriter w = writer;
    if (w != null && w.stalled(nowNanos, limits.unsentGraceMs())) {
      return "answers are not taken";
    }
    long idleNanos = TimeUnit.MILLISECONDS.toNanos(limits.idleMs());
    boolean idle = !busy && !reader.arriving() && nowNanos - activeNanos > idleNanos;
    return idle ? "idle" : null;
  }

  // ---- end

  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) throws Exception {
    if (event instanceof FrameReader.Refusal refusal) {
      refuse(ctx.channel(), refusal.reason());
    } else if (event instanceof SslHandshakeCompletionEvent handshake) {
      encrypted(ctx, handshake);
    } else {
      super.userEventTriggered(ctx, event);
    }
  }

  private void encrypted(ChannelHandlerContext ctx, SslHandshakeCompletionEvent handshake) {
    if (handshake.isSuccess()) {
      authentication.encrypted(ctx.pipeline().get(SslHandler.class).engine().getSession());
    } else if (!(handshake.cause() instanceof ClosedChannelException)) {
      authentication.encryptionFailed();
      refuse(ctx.channel(), "TLS handshake failed: " + RefusalLog.tlsReason(handshake.cause()));
    }
  }

  /** Ends the connection from our side, with a line in the log unless there are too many. */
  void refuse(Channel channel, String reason) {
    if (closed) {
      return;
    }
    refusals.closed(peer.name(), peer.listener(), reason);
    drop();
    var unused = channel.close();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof DecoderException tls && tls.getCause() instanceof SSLException) {
      refuse(ctx.channel(), "TLS: " + RefusalLog.tlsReason(cause));
    } else if (cause instanceof SocketException || cause instanceof java.io.IOException) {
      drop(); // the peer went away, which is its right
      var unused = ctx.close();
    } else {
      refuse(ctx.channel(), String.valueOf(cause));
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    drop();
  }

  /** Releases what waits; what is being served is told that nobody waits for it any more. */
  private void drop() {
    if (closed) {
      return;
    }
    closed = true;
    if (throttling != null) {
      throttling.forget();
    }
    reader.close();
    List<Exchange> served = turns.end();
    authentication.close();
    for (Exchange exchange : served) {
      Reply reply = exchange.reply();
      if (reply != null) {
        reply.done();
        meters.unsent(exchange, nanoClock.getAsLong());
      } else {
        exchange.request().gone();
      }
    }
    dispatcher.gone(peer.connectionId()); // last: what is still served sees that it is over
  }

  /** Runs the task on the channel's loop, at once when on it; false when the loop has ended. */
  static boolean onLoop(Channel channel, Runnable task) {
    if (channel.eventLoop().inEventLoop()) {
      task.run();
      return true;
    }
    try {
      channel.eventLoop().execute(task);
      return true;
    } catch (RejectedExecutionException ended) {
      return false;
    }
  }
}

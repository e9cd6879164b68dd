package io.strandline.broker.socket;

import io.netty.buffer.ByteBuf;
import io.strandline.broker.guard.identity.ListenerSecurity;
import io.strandline.broker.guard.identity.SaslConversation;
import io.strandline.broker.request.Reply;
import io.strandline.broker.request.Request;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.Executor;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import javax.net.ssl.SSLSession;
import org.apache.kafka.common.errors.DisconnectException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.requests.AbstractRequest;
import org.apache.kafka.common.requests.ApiVersionsRequest;
import org.apache.kafka.common.requests.SaslAuthenticateRequest;
import org.apache.kafka.common.requests.SaslHandshakeRequest;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.jspecify.annotations.Nullable;

/**
 * Who the peer of one connection is, before its requests are served and again when its session is
 * over. On the connection's event loop; what may be slow is done by an executor, and meanwhile the
 * connection reads nothing.
 */
final class Authentication {
  /** As Kafka: a peer does not renew its log-in more often. */
  private static final long AGAIN_NANOS_MIN = 1_000_000_000L;

  private static final long NEVER = Long.MAX_VALUE;

  private final ListenerSecurity security;
  private final Peer peer;
  private final ListenerMeters meters;
  private final Executor slow;
  private final LongSupplier nanoClock;
  private final long beganNanos;
  private @Nullable SSLSession session;
  private @Nullable SaslConversation talk;
  private boolean stepping;
  private volatile boolean dropped;
  private long expiresNanos = NEVER;
  private long renewedNanos = NEVER;
  private volatile boolean known;

  Authentication(
      ListenerSecurity security,
      Peer peer,
      ListenerMeters meters,
      Executor slow,
      LongSupplier nanoClock) {
    this.security = security;
    this.peer = peer;
    this.meters = meters;
    this.slow = slow;
    this.nanoClock = nanoClock;
    this.beganNanos = nanoClock.getAsLong();
    if (!security.asks() && security.tls().isEmpty()) {
      identified(security.principal(peer.address(), null));
    }
  }

  /** The TLS handshake is done. */
  void encrypted(SSLSession tls) {
    session = tls;
    if (!security.asks()) {
      identified(security.principal(peer.address(), tls));
      meters.authenticated();
    }
  }

  /** There will be no TLS here. */
  void encryptionFailed() {
    meters.refused();
  }

  private void identified(KafkaPrincipal principal) {
    peer.identify(principal, security.principalSerde());
    known = true;
  }

  /** Whether it is known who the peer is. */
  boolean known() {
    return known;
  }

  /** The frames that may come next. */
  void expect(FrameReader reader) {
    if (security.asks() && (!known || talking())) {
      reader.takeLogins(security.frameBytesMax(), takesRawToken());
    } else {
      reader.takeRequests();
    }
  }

  /** Whether the peer took so long to say who it is. Any thread. */
  boolean late(long nowNanos, long graceMs) {
    return !known && nowNanos - beganNanos > graceMs * 1_000_000;
  }

  // ---- which requests are ours

  /** Whether the next frame is a token without a header. */
  boolean takesRawToken() {
    return talk != null && talk.takesRawToken();
  }

  /**
   * Looks at a request that has come, the earlier ones of a log-in being answered.
   *
   * @return whether {@link #serve} must serve it, nothing being read meanwhile
   * @throws InvalidRequestException when it may not come now
   */
  boolean claims(Request<?> request, long nowNanos) {
    if (!security.asks()) {
      return false;
    }
    ApiKeys api = request.api();
    if (known && !talking()) {
      if (api == ApiKeys.SASL_HANDSHAKE && mayRenew(nowNanos)) {
        renewedNanos = nowNanos;
        talk = conversation().again();
      } else if (nowNanos - expiresNanos > 0 && expiresNanos != NEVER) {
        throw new InvalidRequestException("the session is over and was not renewed");
      } else {
        return false; // also a log-in that nobody wants, which its handler refuses
      }
    }
    SaslConversation now = conversation();
    if (!now.admits(api)) {
      throw new InvalidRequestException(api + " during " + now.attempt());
    }
    if (request.body() instanceof ApiVersionsRequest versions) {
      if (!versions.hasUnsupportedRequestVersion() && versions.isValid()) {
        now.versionsTold();
      }
      return false;
    }
    return true;
  }

  /** As Kafka: what never ends is not renewed, and the first time is as soon as the peer likes. */
  private boolean mayRenew(long nowNanos) {
    return expiresNanos != NEVER
        && (renewedNanos == NEVER || nowNanos - renewedNanos >= AGAIN_NANOS_MIN);
  }

  private boolean talking() {
    return talk != null && talk.loggedIn().isEmpty();
  }

  private SaslConversation conversation() {
    if (talk == null) {
      talk =
          security.conversation(
              new SaslConversation.Ends(peer.address(), peer.localAddress(), session));
    }
    return talk;
  }

  // ---- steps

  /** Serves a request that was claimed. Completes on any thread; {@link #settle} follows it. */
  CompletionStage<Reply> serve(Request<?> request) {
    AbstractRequest body = request.body();
    request.releaseFrame();
    SaslConversation now = conversation();
    stepping = true;
    if (body instanceof SaslHandshakeRequest handshake) {
      return CompletableFuture.completedFuture(Reply.of(now.handshake(handshake)));
    }
    SaslAuthenticateRequest token = (SaslAuthenticateRequest) body;
    return step(() -> Reply.of(now.authenticate(token)));
  }

  /** Takes a token without a header. As {@link #serve}, but for the answer, which has none too. */
  CompletionStage<byte[]> serve(ByteBuf token) {
    byte[] bytes = new byte[token.readableBytes()];
    token.readBytes(bytes);
    SaslConversation now = conversation();
    stepping = true;
    return step(
        () -> {
          try {
            return now.token(bytes);
          } catch (javax.security.sasl.SaslException e) {
            throw new org.apache.kafka.common.errors.SaslAuthenticationException("refused", e);
          }
        });
  }

  /** What waited for a thread until its peer had gone is not carried out. */
  private <T> CompletionStage<T> step(Supplier<T> work) {
    return CompletableFuture.supplyAsync(
        () -> {
          if (dropped) {
            throw new DisconnectException("the connection is closed");
          }
          return work.get();
        },
        slow);
  }

  /** What came of a step; on the event loop again. Gives whether the log-in has failed. */
  boolean settle() {
    stepping = false;
    SaslConversation now = conversation();
    if (dropped) {
      now.close();
    }
    now.loggedIn().ifPresent(this::loggedIn);
    if (now.failed()) {
      meters.refused();
    }
    return now.failed();
  }

  private void loggedIn(SaslConversation.LoggedIn done) {
    long nowNanos = nanoClock.getAsLong();
    expiresNanos = done.expires() ? nowNanos + done.sessionMs() * 1_000_000 : NEVER;
    identified(done.principal());
    meters.authenticated();
  }

  /** A failed log-in is answered so much later. */
  long failureDelayMs() {
    return security.failureDelayMs();
  }

  /** For logs: what was tried. */
  String attempt() {
    return conversation().attempt();
  }

  /** The connection is lost. */
  void close() {
    dropped = true;
    if (talk != null && !stepping) {
      talk.close();
    }
  }
}

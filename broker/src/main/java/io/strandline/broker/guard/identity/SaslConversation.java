package io.strandline.broker.guard.identity;

import java.net.InetAddress;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import javax.net.ssl.SSLSession;
import javax.security.sasl.SaslException;
import javax.security.sasl.SaslServer;
import org.apache.kafka.common.errors.SaslAuthenticationException;
import org.apache.kafka.common.message.SaslAuthenticateResponseData;
import org.apache.kafka.common.message.SaslHandshakeResponseData;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.requests.SaslAuthenticateRequest;
import org.apache.kafka.common.requests.SaslAuthenticateResponse;
import org.apache.kafka.common.requests.SaslHandshakeRequest;
import org.apache.kafka.common.requests.SaslHandshakeResponse;
import org.apache.kafka.common.security.auth.KafkaPrincipal;
import org.apache.kafka.common.security.auth.SaslAuthenticationContext;
import org.apache.kafka.common.security.authenticator.SaslInternalConfigs;
import org.apache.kafka.common.security.scram.ScramLoginModule;
import org.apache.kafka.common.security.scram.internals.ScramMechanism;
import org.jspecify.annotations.Nullable;

/**
 * One log-in of one peer by SASL (KIP-43, KIP-152, KIP-368), or a renewed one.
 *
 * <pre>
 *   START ── ApiVersions ──► VERSIONS ── SaslHandshake ──► TOKENS ──► DONE
 *     └────────────── SaslHandshake ─────────────────────────▲  └───► FAILED
 * </pre>
 *
 * After a handshake of version 1 tokens come in SaslAuthenticate requests, after version 0 as they
 * are. A renewed log-in begins in VERSIONS and must end with the same principal by the same
 * mechanism.
 *
 * <p>One thread at a time, which sees what the one before did. Only {@link #authenticate} and
 * {@link #token} may be slow: they call handlers that may be the user's.
 */
public final class SaslConversation {
  private enum State {
    START,
    VERSIONS,
    TOKENS,
    DONE,
    FAILED
  }

  /**
   * The two ends of the connection.
   *
   * @param session of TLS, null without
   */
  public record Ends(InetAddress peer, InetAddress here, @Nullable SSLSession session) {}

  /**
   * Who the peer is.
   *
   * @param mechanism by which it logged in
   * @param sessionMs time until it must log in again, 0 for ever; at most a century
   */
  public record LoggedIn(
      KafkaPrincipal principal, String mechanism, boolean expires, long sessionMs) {}

  /** A century: what is longer overflows where nanoseconds are counted, here and in clients. */
  private static final long SESSION_MS_MAX = TimeUnit.DAYS.toMillis(36_500);

  private final ListenerSecurity security;
  private final Ends ends;
  private final @Nullable LoggedIn before;
  private State state;
  private boolean rawTokens;
  private String mechanism = "";
  private @Nullable SaslServer server;
  private @Nullable LoggedIn result;

  SaslConversation(ListenerSecurity security, Ends ends, @Nullable LoggedIn before) {
    this.security = security;
    this.ends = ends;
    this.before = before;
    this.state = before == null ? State.START : State.VERSIONS;
  }

  /** The next log-in over the same connection. */
  public SaslConversation again() {
    return new SaslConversation(security, ends, loggedIn().orElseThrow());
  }

  // ---- what may come

  /** Whether a request of this API may come now; of ApiVersions one that succeeds. */
  public boolean admits(ApiKeys api) {
    return switch (state) {
      case START -> api == ApiKeys.API_VERSIONS || api == ApiKeys.SASL_HANDSHAKE;
      case VERSIONS -> api == ApiKeys.SASL_HANDSHAKE;
      case TOKENS -> !rawTokens && api == ApiKeys.SASL_AUTHENTICATE;
      case DONE, FAILED -> false;
    };
  }

  /** ApiVersions was asked in a version that is served. */
  public void versionsTold() {
    if (state == State.START) {
      state = State.VERSIONS;
    }
  }

  /** Whether the next frame is a token without a header. */
  public boolean takesRawToken() {
    return state == State.TOKENS && rawTokens;
  }

  public boolean failed() {
    return state == State.FAILED;
  }

  /** Empty until the log-in succeeded. */
  public Optional<LoggedIn> loggedIn() {
    return Optional.ofNullable(result);
  }

  /** For logs: what was tried, nothing of what the peer sent but a mechanism that is known here. */
  public String attempt() {
    String what = before == null ? "authentication" : "re-authentication";
    return mechanism.isEmpty() ? what : what + " by " + mechanism;
  }

  // ---- what came

  /** Chooses the mechanism. */
  public SaslHandshakeResponse handshake(SaslHandshakeRequest request) {
    String wanted = request.data().mechanism();
    SaslHandshakeResponseData answer =
        new SaslHandshakeResponseData().setMechanisms(security.mechanisms().names());
    if (!security.mechanisms().has(wanted)) {
      state = State.FAILED;
      return new SaslHandshakeResponse(
          answer.setErrorCode(Errors.UNSUPPORTED_SASL_MECHANISM.code()));
    }
    mechanism = wanted;
    rawTokens = request.version() == 0;
    try {
      server = security.mechanisms().server(wanted, ends.here().getHostAddress());
      state = State.TOKENS;
    } catch (SaslException e) {
      state = State.FAILED;
      answer.setErrorCode(Errors.SASL_AUTHENTICATION_FAILED.code());
    }
    return new SaslHandshakeResponse(answer);
  }

  /** Takes one step with the mechanism. */
  public SaslAuthenticateResponse authenticate(SaslAuthenticateRequest request) {
    try {
      byte[] challenge = token(request.data().authBytes());
      return new SaslAuthenticateResponse(
          new SaslAuthenticateResponseData()
              .setAuthBytes(challenge)
              .setSessionLifetimeMs(result == null ? 0 : result.sessionMs()));
    } catch (SaslAuthenticationException told) {
      return refused(String.valueOf(told.getMessage()));
    } catch (SaslException secret) {
      // As Kafka: what the mechanism says might tell which users there are.
      return refused(
          "Authentication failed during "
              + (before == null ? "authentication" : "re-authentication")
              + " due to invalid credentials with SASL mechanism "
              + mechanism);
    }
  }

  private SaslAuthenticateResponse refused(String message) {
    return new SaslAuthenticateResponse(
        new SaslAuthenticateResponseData()
            .setErrorCode(Errors.SASL_AUTHENTICATION_FAILED.code())
            .setErrorMessage(message));
  }

  /**
   * Takes one step with the mechanism.
   *
   * @return the next challenge, empty for none
   * @throws SaslException when the log-in has failed, or a SaslAuthenticationException, whose
   *     message the peer may be told
   */
  public byte[] token(byte[] token) throws SaslException {
    SaslServer now = server;
    if (state != State.TOKENS || now == null) {
      throw new IllegalStateException("no token is expected");
    }
    boolean good = false;
    try {
      if (before != null && !before.mechanism().equals(mechanism)) {
        throw new SaslAuthenticationException(
            "SASL mechanism '"
                + mechanism
                + "' requested by client is not supported for re-authentication of mechanism '"
                + before.mechanism()
                + "'");
      }
      byte[] challenge = now.evaluateResponse(token.clone());
      if (now.isComplete()) {
        finish(now);
      }
      good = true;
      return challenge == null ? new byte[0] : challenge;
    } finally {
      if (!good) {
        state = State.FAILED;
        close();
      }
    }
  }

  private void finish(SaslServer done) throws SaslException {
    KafkaPrincipal principal =
        security.build(
            new SaslAuthenticationContext(
                done,
                security.protocol(),
                ends.peer(),
                security.listener().value(),
                Optional.ofNullable(ends.session())));
    if (ScramMechanism.isScram(mechanism)
        && "true".equals(done.getNegotiatedProperty(ScramLoginModule.TOKEN_AUTH_CONFIG))) {
      principal.tokenAuthenticated(true);
    }
    if (before != null && !before.principal().equals(principal)) {
      throw new SaslAuthenticationException(
          "Cannot change principals during re-authentication from "
              + before.principal()
              + ": "
              + principal);
    }
    Long expiryMs =
        (Long)
            done.getNegotiatedProperty(
                SaslInternalConfigs.CREDENTIAL_LIFETIME_MS_SASL_NEGOTIATED_PROPERTY_KEY);
    long sessionMsMax = security.mechanisms().sessionMsMax(mechanism);
    long left = expiryMs == null ? Long.MAX_VALUE : expiryMs - security.clock().millis();
    long most = Math.min(SESSION_MS_MAX, sessionMsMax > 0 ? sessionMsMax : Long.MAX_VALUE);
    long sessionMs = Math.max(0, Math.min(most, left));
    boolean expires = expiryMs != null || sessionMsMax > 0;
    result = new LoggedIn(principal, mechanism, expires, expires ? sessionMs : 0);
    state = State.DONE;
    done.dispose();
    server = null;
  }

  /** Forgets what the mechanism keeps. Idempotent. */
  public void close() {
    SaslServer open = server;
    server = null;
    if (open != null) {
      try {
        open.dispose();
      } catch (SaslException ignored) {
        // nothing is kept that could be freed otherwise
      }
    }
  }
}

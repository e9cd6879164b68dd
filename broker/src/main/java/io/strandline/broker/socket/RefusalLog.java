package io.strandline.broker.socket;

import io.micrometer.core.instrument.Counter;
import io.micrometer.core.instrument.MeterRegistry;
import io.netty.handler.ssl.NotSslRecordException;
import java.util.function.LongSupplier;
import javax.net.ssl.SSLException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Where it is told that connections were refused or closed from our side: a line for each, but no
 * more than {@link #LINES} in ten seconds, so that peers who knock without end do not fill a disk.
 * The rest is counted, and its number told when the time is over. Safe for several threads.
 */
final class RefusalLog {
  static final int LINES = 20;
  static final long WINDOW_NANOS = 10_000_000_000L;
  private static final Logger LOG = LoggerFactory.getLogger(RefusalLog.class);

  private final LongSupplier nanoClock;
  private final Counter unsaid;
  private long windowBeganNanos;
  private int said;
  private long untold;

  RefusalLog(MeterRegistry metrics, LongSupplier nanoClock) {
    this.nanoClock = nanoClock;
    this.unsaid = metrics.counter("strandline.socket.refusals.unsaid");
    this.windowBeganNanos = nanoClock.getAsLong();
  }

  /** A new connection was not served. */
  void refused(String client, String listener, String reason) {
    line("refused connection", client, listener, reason);
  }

  /** A connection was closed from our side. */
  void closed(String client, String listener, String reason) {
    line("closed connection", client, listener, reason);
  }

  private void line(String what, String client, String listener, String reason) {
    if (mayTell()) {
      LOG.atInfo()
          .addKeyValue("client", client)
          .addKeyValue("listener", listener)
          .addKeyValue("reason", reason)
          .log(what);
    }
  }

  private synchronized boolean mayTell() {
    sumUp();
    if (said < LINES) {
      said++;
      return true;
    }
    untold++;
    unsaid.increment();
    return false;
  }

  /** Tells how many lines were left out, once their ten seconds are over; called every second. */
  synchronized void sumUp() {
    long now = nanoClock.getAsLong();
    if (now - windowBeganNanos < WINDOW_NANOS) {
      return;
    }
    if (untold > 0) {
      LOG.atInfo()
          .addKeyValue("count", untold)
          .log("more connections were refused or closed, without a line each");
    }
    windowBeganNanos = now;
    said = 0;
    untold = 0;
  }

  /** Of a request that breaks the protocol, with what is behind it. */
  static String reason(RuntimeException violation) {
    Throwable cause = violation.getCause() == null ? violation : violation.getCause();
    return violation.getMessage() + (cause == violation ? "" : ": " + cause.getMessage());
  }

  /** Without what the peer sent: a client that speaks no TLS may send a password first. */
  static String tlsReason(Throwable failure) {
    Throwable cause = failure.getCause() instanceof SSLException inner ? inner : failure;
    return cause instanceof NotSslRecordException
        ? "the client does not speak TLS"
        : String.valueOf(cause.getMessage());
  }
}

package io.strandline.tiering.store.guard;

import java.util.function.LongSupplier;

/**
 * Bytes that may be moved, as tokens that come at a rate; at most a second's worth is saved up.
 * Whoever finds no debt may spend as much as it likes at once: what it overdraws is waited for by
 * the next. So over any time no more is moved than the rate, a second's worth and one call.
 *
 * <p>One thread at a time: its lane's monitor guards it.
 */
final class TokenBucket {
  private static final double NANOS = 1e9;

  private final LongSupplier bytesPerSecond;
  private final LongSupplier nanoTicker;
  private double tokens = Double.POSITIVE_INFINITY; // full, whatever the rate will be
  private long atNanos;

  TokenBucket(LongSupplier bytesPerSecond, LongSupplier nanoTicker) {
    this.bytesPerSecond = bytesPerSecond;
    this.nanoTicker = nanoTicker;
    this.atNanos = nanoTicker.getAsLong();
  }

  boolean unlimited() {
    return bytesPerSecond.getAsLong() == Long.MAX_VALUE;
  }

  /** How long until there is no debt, 0 when there is none. */
  long debtNanos() {
    if (unlimited()) {
      tokens = Math.max(0, tokens); // a limit that was lifted is owed nothing
      return 0;
    }
    refill();
    return tokens >= 0 ? 0 : (long) Math.ceil(-tokens / bytesPerSecond.getAsLong() * NANOS);
  }

  void spend(long bytes) {
    if (!unlimited()) {
      refill();
      tokens -= bytes;
    }
  }

  private void refill() {
    long nowNanos = nanoTicker.getAsLong();
    double rate = bytesPerSecond.getAsLong();
    tokens = Math.min(rate, tokens + (nowNanos - atNanos) / NANOS * rate);
    atNanos = nowNanos;
  }
}

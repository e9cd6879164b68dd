package io.strandline.broker.socket;

import io.strandline.broker.socket.memory.BytesBudget;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How long a frame that is begun may take to arrive: what the slowest peer allowed would need. On
 * the connection's event loop, but {@link #over}.
 */
final class FrameDeadline {
  private static final int BYTES_PER_SECOND_MIN = 16 << 10;

  /** While others wait for the bytes that a frame holds it has less time. */
  private static final int NEEDED_BYTES_PER_SECOND_MIN = 64 << 10;

  private static final long NEEDED_GRACE_MS = 2_000;
  private static final long NEVER = Long.MIN_VALUE;

  private final long frameGraceMs;
  private final LongSupplier nanoClock;
  private volatile long sinceNanos = NEVER;
  private volatile int receivedBytes;

  FrameDeadline(long frameGraceMs, LongSupplier nanoClock) {
    this.frameGraceMs = frameGraceMs;
    this.nanoClock = nanoClock;
  }

  /** A frame is awaited from now on, or again; no news when one is already. */
  void await() {
    if (sinceNanos == NEVER) {
      sinceNanos = nanoClock.getAsLong();
    }
  }

  /** None is awaited: it is here, or it is us who do not read. */
  void stop() {
    sinceNanos = NEVER;
  }

  /** So much of the frame is here. */
  void received(int bytes) {
    receivedBytes = bytes;
  }

  /**
   * Whether it took longer. Any thread.
   *
   * @param held the memory that it has
   */
  boolean over(long nowNanos, BytesBudget.@Nullable Claim held) {
    long since = sinceNanos;
    if (since == NEVER) {
      return false;
    }
    long received = receivedBytes;
    long graceMs = frameGraceMs + received / BYTES_PER_SECOND_MIN * 1000L;
    if (held != null && held.needed(nowNanos)) {
      long neededMs = NEEDED_GRACE_MS + received / NEEDED_BYTES_PER_SECOND_MIN * 1000L;
      graceMs = Math.min(graceMs, neededMs);
    }
    return nowNanos - since > graceMs * 1_000_000;
  }
}

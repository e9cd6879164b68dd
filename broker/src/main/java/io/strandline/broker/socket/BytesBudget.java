package io.strandline.broker.socket;

import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * Bytes of requests that all connections together may hold. Who does not get any waits its turn.
 *
 * <p>A frame claims its whole size before it is read, so frames once begun can always be finished.
 * So that peers who claim much and send little cannot shut everyone out, claims above {@link
 * #LARGE_BYTES} may take only half of the budget, or one frame of the longest kind.
 *
 * <p>Safe for several threads.
 */
final class BytesBudget {
  static final int LARGE_BYTES = 1 << 20;

  private final long maxBytes;
  private final long largeMaxBytes;
  private long usedBytes;
  private long largeUsedBytes;
  private final Deque<Claim> small = new ArrayDeque<>();
  private final Deque<Claim> large = new ArrayDeque<>();

  BytesBudget(SocketConfig.Limits limits) {
    maxBytes = limits.bytesInFlightMax();
    largeMaxBytes = Math.max(maxBytes / 2, limits.requestBytesMax());
  }

  /** A wish for bytes that could not be met at once. */
  static final class Claim {
    private final int bytes;
    private final Runnable granted;

    private Claim(int bytes, Runnable granted) {
      this.bytes = bytes;
      this.granted = granted;
    }
  }

  /**
   * Takes the bytes, or queues for them.
   *
   * @param granted run once the bytes were taken for a queued claim, on the thread that gave some
   *     back: must only hand on
   * @return null when the bytes were taken at once, else what to {@link #cancel}
   */
  @Nullable Claim claim(int bytes, Runnable granted) {
    Deque<Claim> queue = bytes > LARGE_BYTES ? large : small;
    synchronized (this) {
      if (queue.isEmpty() && fits(bytes)) {
        take(bytes);
        return null;
      }
      Claim claim = new Claim(bytes, granted);
      queue.add(claim);
      return claim;
    }
  }

  /** Withdraws a claim; if it had been granted already its bytes are given back. */
  void cancel(Claim claim) {
    boolean waiting;
    synchronized (this) {
      waiting = (claim.bytes > LARGE_BYTES ? large : small).remove(claim);
    }
    // The next in line may fit where this one did not.
    release(waiting ? 0 : claim.bytes);
  }

  void release(int bytes) {
    Deque<Claim> winners = new ArrayDeque<>();
    synchronized (this) {
      usedBytes -= bytes;
      if (bytes > LARGE_BYTES) {
        largeUsedBytes -= bytes;
      }
      grant(large, winners);
      grant(small, winners);
    }
    winners.forEach(claim -> claim.granted.run());
  }

  long maxBytes() {
    return maxBytes;
  }

  synchronized long usedBytes() {
    return usedBytes;
  }

  private void grant(Deque<Claim> queue, Deque<Claim> winners) {
    for (Claim next = queue.peek(); next != null && fits(next.bytes); next = queue.peek()) {
      take(next.bytes);
      winners.add(queue.remove());
    }
  }

  private boolean fits(int bytes) {
    return usedBytes + bytes <= maxBytes
        && (bytes <= LARGE_BYTES || largeUsedBytes + bytes <= largeMaxBytes);
  }

  private void take(int bytes) {
    usedBytes += bytes;
    if (bytes > LARGE_BYTES) {
      largeUsedBytes += bytes;
    }
  }
}

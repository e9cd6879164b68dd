package io.strandline.broker.socket.memory;

import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * Bytes that frames of many connections may hold together. Who does not get any waits its turn.
 *
 * <p>Claims above {@link #LARGE_BYTES} may have a share of it, and what remains is for the others,
 * so that neither shuts the other out: while a large claim that is within its share waits, the
 * others leave it room. A claim of any size is met when nothing else is held.
 *
 * <p>Safe for several threads.
 */
public final class BytesBudget {
  static final int LARGE_BYTES = 1 << 20;

  private static final long NOBODY = Long.MIN_VALUE;
  private static final long NEED_NANOS = 1_000_000_000L;

  private final long maxBytes;
  private final long largeMaxBytes;
  private final LongSupplier nanoClock;
  private long usedBytes;
  private long largeUsedBytes;
  private final Set<Claim> small = new LinkedHashSet<>();
  private final Set<Claim> large = new LinkedHashSet<>();
  private volatile long waitingSinceNanos = NOBODY;

  /**
   * @param largeMaxBytes of claims above {@link #LARGE_BYTES}; at most {@code maxBytes}
   */
  BytesBudget(long maxBytes, long largeMaxBytes, LongSupplier nanoClock) {
    this.maxBytes = maxBytes;
    this.largeMaxBytes = largeMaxBytes;
    this.nanoClock = nanoClock;
  }

  /** Bytes that somebody asked for, who ends the claim whether it was granted or not. */
  public final class Claim {
    private final int bytes;
    private final Runnable whenGranted;
    private long sinceNanos;
    private boolean granted;
    private boolean ended;

    private Claim(int bytes, Runnable whenGranted) {
      this.bytes = bytes;
      this.whenGranted = whenGranted;
    }

    public int bytes() {
      return bytes;
    }

    /** Whether the bytes may be used. */
    public boolean granted() {
      synchronized (BytesBudget.this) {
        return granted;
      }
    }

    /** Whether somebody has been waiting for bytes of this budget for a second. */
    public boolean needed(long nowNanos) {
      long since = waitingSinceNanos;
      return since != NOBODY && nowNanos - since > NEED_NANOS;
    }

    /** Gives the bytes back, or waits for them no longer. Idempotent. */
    public void end() {
      BytesBudget.this.end(this);
    }
  }

  /**
   * Takes the bytes, or queues for them.
   *
   * @param whenGranted run once a queued claim is granted, on the thread that gave bytes back: must
   *     only hand on
   */
  Claim claim(int bytes, Runnable whenGranted) {
    Claim claim = new Claim(bytes, whenGranted);
    synchronized (this) {
      if (queue(bytes).isEmpty() && fits(bytes)) {
        grant(claim);
      } else {
        claim.sinceNanos = nanoClock.getAsLong();
        queue(bytes).add(claim);
        rememberTheFirst();
      }
    }
    return claim;
  }

  /** Takes the bytes if nobody has to wait for it; else null. */
  @Nullable Claim take(int bytes) {
    synchronized (this) {
      if (queue(bytes).isEmpty() && fits(bytes)) {
        Claim claim = new Claim(bytes, () -> {});
        grant(claim);
        return claim;
      }
      return null;
    }
  }

  private void end(Claim claim) {
    List<Claim> winners = List.of();
    synchronized (this) {
      if (claim.ended) {
        return;
      }
      claim.ended = true;
      if (claim.granted) {
        usedBytes -= claim.bytes;
        largeUsedBytes -= claim.bytes > LARGE_BYTES ? claim.bytes : 0;
      } else {
        queue(claim.bytes).remove(claim); // the next in line may fit where this one did not
      }
      if (!large.isEmpty() || !small.isEmpty()) {
        winners = new ArrayList<>();
        serve(large, winners);
        serve(small, winners);
      }
      rememberTheFirst();
    }
    winners.forEach(winner -> winner.whenGranted.run());
  }

  synchronized long usedBytes() {
    return usedBytes;
  }

  private Set<Claim> queue(int bytes) {
    return bytes > LARGE_BYTES ? large : small;
  }

  private static @Nullable Claim first(Set<Claim> queue) {
    return queue.isEmpty() ? null : queue.iterator().next();
  }

  private void serve(Set<Claim> queue, List<Claim> winners) {
    for (Claim next = first(queue); next != null && fits(next.bytes); next = first(queue)) {
      queue.remove(next);
      grant(next);
      winners.add(next);
    }
  }

  private boolean fits(int bytes) {
    if (usedBytes == 0) {
      return true;
    }
    if (usedBytes + bytes > maxBytes) {
      return false;
    }
    return bytes > LARGE_BYTES
        ? withinShare(bytes)
        : !largeAwaitsRoom() || usedBytes - largeUsedBytes + bytes <= maxBytes - largeMaxBytes;
  }

  private boolean withinShare(int bytes) {
    return largeUsedBytes == 0 || largeUsedBytes + bytes <= largeMaxBytes;
  }

  private boolean largeAwaitsRoom() {
    Claim next = first(large);
    return next != null && withinShare(next.bytes);
  }

  private void grant(Claim claim) {
    claim.granted = true;
    usedBytes += claim.bytes;
    largeUsedBytes += claim.bytes > LARGE_BYTES ? claim.bytes : 0;
  }

  private void rememberTheFirst() {
    Claim ofSmall = first(small);
    Claim ofLarge = first(large);
    if (ofSmall != null && ofLarge != null) {
      waitingSinceNanos =
          ofSmall.sinceNanos - ofLarge.sinceNanos < 0 ? ofSmall.sinceNanos : ofLarge.sinceNanos;
    } else if (ofSmall != null) {
      waitingSinceNanos = ofSmall.sinceNanos;
    } else {
      waitingSinceNanos = ofLarge != null ? ofLarge.sinceNanos : NOBODY;
    }
  }
}

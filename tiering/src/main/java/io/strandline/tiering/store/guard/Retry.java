package io.strandline.tiering.store.guard;

import java.time.Duration;
import java.util.random.RandomGenerator;

/**
 * When to try again: exponential, and jittered so that callers who failed together do not come back
 * together.
 *
 * @param attemptsMax with the first
 * @param giveUpAfter no try begins later than this after the first
 */
public record Retry(int attemptsMax, Duration firstDelay, Duration delayMax, Duration giveUpAfter) {
  public Retry {
    if (attemptsMax < 1 || firstDelay.isNegative() || delayMax.compareTo(firstDelay) < 0) {
      throw new IllegalArgumentException(
          "not a retry policy: " + attemptsMax + " tries, " + firstDelay + " to " + delayMax);
    }
  }

  public static Retry defaults() {
    return new Retry(6, Duration.ofMillis(50), Duration.ofSeconds(5), Duration.ofSeconds(60));
  }

  /** Between half and the whole of the backoff after {@code failures} failures, 1 or more. */
  Duration delay(int failures, RandomGenerator random) {
    int doublings = Math.min(failures - 1, 30);
    long wholeNanos = Math.min(delayMax.toNanos(), saturatedShift(firstDelay.toNanos(), doublings));
    long halfNanos = wholeNanos / 2;
    return Duration.ofNanos(halfNanos + random.nextLong(wholeNanos - halfNanos + 1));
  }

  private static long saturatedShift(long value, int bits) {
    return value > Long.MAX_VALUE >> bits ? Long.MAX_VALUE : value << bits;
  }
}

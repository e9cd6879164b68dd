package io.strandline.tiering.store.guard;

import java.time.Duration;

/**
 * How long one request may take: {@code base}, and longer for bytes, at a rate below which a
 * connection counts as dead.
 *
 * @param bytesPerSecondMin at least 1
 */
public record Deadline(Duration base, long bytesPerSecondMin) {
  public Deadline {
    if (base.isNegative() || base.isZero() || bytesPerSecondMin < 1) {
      throw new IllegalArgumentException(
          "not a deadline: " + base + " and " + bytesPerSecondMin + " bytes a second");
    }
  }

  public static Deadline defaults() {
    return new Deadline(Duration.ofSeconds(10), 1 << 20);
  }

  /** For a request that moves {@code bytes}. */
  public Duration of(long bytes) {
    return base.plusMillis(bytes * 1000 / bytesPerSecondMin);
  }
}

package io.strandline.tiering.store.guard;

import java.time.Duration;

/**
 * When a store counts as away, and how often it is tried then.
 *
 * @param failuresInARow without any answer between them: then it is away
 * @param firstPause until the first call that is let through to try it; doubles with each that
 *     fails
 * @param pauseMax also how long a call that tries it may keep the next from trying
 */
public record Circuit(int failuresInARow, Duration firstPause, Duration pauseMax) {
  public Circuit {
    if (failuresInARow < 1 || firstPause.toMillis() < 1 || pauseMax.compareTo(firstPause) < 0) {
      throw new IllegalArgumentException(
          "not a circuit: " + failuresInARow + " failures, " + firstPause + " to " + pauseMax);
    }
  }

  /** Ten; half a second to ten seconds. */
  public static Circuit defaults() {
    return new Circuit(10, Duration.ofMillis(500), Duration.ofSeconds(10));
  }
}

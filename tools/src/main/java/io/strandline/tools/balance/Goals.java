package io.strandline.tools.balance;

/**
 * When a cluster is out of balance, and when it is balanced. What narrows the gap between two
 * brokers by this much beyond what is moved is worth a move; gaps are parts of a broker's mean.
 *
 * <p>That the two differ is what keeps a cluster at rest: what was brought below {@code stop} does
 * not come above {@code start} as long as each broker's load stays within half of their difference.
 *
 * @param start how wide a gap has to be for anything to be moved
 * @param stop what gaps are brought down to once something is
 */
public record Goals(double start, double stop) {
  public static final Goals DEFAULT = Goals.startingAt(0.15);

  public Goals {
    if (!(stop > 0 && start >= stop)) {
      throw new IllegalArgumentException("no such thresholds: " + start + ", " + stop);
    }
  }

  /** Goals that bring gaps down to a third of where they begin to matter. */
  public static Goals startingAt(double start) {
    return new Goals(start, start / 3);
  }
}

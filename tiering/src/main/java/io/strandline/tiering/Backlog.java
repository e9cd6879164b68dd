package io.strandline.tiering;

/**
 * What is sealed, should go up, and is not known to be in the tier.
 *
 * @param bytes of log files
 * @param segments how many
 */
public record Backlog(long bytes, int segments) {
  /** Nothing. */
  public static final Backlog NONE = new Backlog(0, 0);
}

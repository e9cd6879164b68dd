package io.strandline.tiering.scrub;

/**
 * How the partitions that a broker leads are checked.
 *
 * @param listMs how often a partition's objects are listed and held against its manifest, and its
 *     orphans deleted; the first time by chance within it
 * @param bytesPerSecond at which a broker reads segments from end to end; 0 for not at all
 * @param roundMs a partition is not read again before so much time has passed since its last round
 *     began
 * @param graceMs after which an object that nobody names is an orphan, and what a versioned bucket
 *     keeps of deleted objects may go
 * @param versions whether what a versioned bucket keeps of deleted objects is deleted for good
 */
public record ScrubConfig(
    long listMs, long bytesPerSecond, long roundMs, long graceMs, boolean versions) {
  /** Of one GET. */
  static final int PIECE_BYTES_MAX = 8 << 20;

  private static final int GET_BYTES_MIN = 1 << 20;

  public ScrubConfig {
    if (listMs < 1 || bytesPerSecond < 0 || roundMs < 1 || graceMs < 1) {
      throw new IllegalArgumentException(
          "not a way to scrub: every "
              + listMs
              + " ms, "
              + bytesPerSecond
              + " bytes a second, every "
              + roundMs
              + " ms, grace "
              + graceMs
              + " ms");
    }
  }

  /** A day, 1 MiB, 30 days, a day, no. */
  public static ScrubConfig defaults() {
    long dayMs = 24 * 60 * 60 * 1000L;
    return new ScrubConfig(dayMs, 1 << 20, 30 * dayMs, dayMs, false);
  }

  /** How long reading rests before a GET; requests cost too, so a small one counts for more. */
  long restMs(int getBytes) {
    return Math.max(GET_BYTES_MIN, getBytes) * 1000L / bytesPerSecond;
  }
}

package io.strandline.tools.doctor;

import java.time.Duration;
import java.time.Instant;
import java.util.Locale;

/** Our clock against another's. */
final class Clocks {
  private static final Duration WARN = Duration.ofSeconds(5);
  private static final Duration FAIL = Duration.ofMinutes(1);

  private Clocks() {}

  /**
   * @param whose it is, for people
   * @param theirs what it told, perhaps in whole seconds, at some time from {@code before} to
   *     {@code after} by ours
   */
  static Finding compare(
      String check, String whose, Instant theirs, Instant before, Instant after) {
    Duration behind = Duration.between(theirs.plusSeconds(1), before);
    Duration ahead = Duration.between(after, theirs);
    Duration off = behind.compareTo(ahead) > 0 ? behind : ahead;
    if (off.isNegative() || off.compareTo(WARN) < 0) {
      return Finding.ok(check, "as " + whose + "'s, within " + WARN.toSeconds() + " s");
    }
    String found =
        String.format(
            Locale.ROOT,
            "%.1f s %s %s's",
            off.toMillis() / 1e3,
            behind.compareTo(ahead) > 0 ? "ahead of" : "behind",
            whose);
    String advice =
        "One of the two is wrong: chronyc tracking, timedatectl. S3 refuses requests from 15 minutes"
            + " on; retention and lookups by time go by the brokers' clocks.";
    return off.compareTo(FAIL) < 0
        ? Finding.warn(check, found, advice)
        : Finding.fail(check, found, advice);
  }
}

package io.strandline.tools.replay;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Bytes as people write them. */
public final class Sizes {
  private static final Pattern TEXT = Pattern.compile("([0-9]{1,15})([KMGT]?)");

  private Sizes() {}

  /**
   * A number, and perhaps K, M, G or T for powers of 1024.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static long parse(String text) {
    Matcher parts = TEXT.matcher(text.trim().toUpperCase(java.util.Locale.ROOT));
    if (!parts.matches()) {
      throw new IllegalArgumentException("not a number of bytes, as 512K or 50M: " + text);
    }
    int power = " KMGT".indexOf(parts.group(2).isEmpty() ? " " : parts.group(2));
    return Math.multiplyExact(Long.parseLong(parts.group(1)), 1L << (10 * power));
  }
}

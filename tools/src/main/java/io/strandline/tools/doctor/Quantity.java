package io.strandline.tools.doctor;

import java.util.Locale;

/** Figures as people read them. */
final class Quantity {
  private static final String[] UNITS = {"KiB", "MiB", "GiB", "TiB"};

  private Quantity() {}

  static String bytes(long bytes) {
    if (bytes < 1024) {
      return bytes + " bytes";
    }
    double value = bytes;
    int unit = -1;
    while (value >= 1024 && unit < UNITS.length - 1) {
      value /= 1024;
      unit++;
    }
    return String.format(Locale.ROOT, "%.1f %s", value, UNITS[unit]);
  }

  static String nanos(long nanos) {
    return String.format(Locale.ROOT, "%.1f ms", nanos / 1e6);
  }

  static String some(int count, String noun) {
    return count + " " + noun + (count == 1 ? "" : "s");
  }
}

package io.strandline.tools;

import java.io.PrintStream;
import java.util.Locale;
import java.util.function.LongSupplier;
import org.jspecify.annotations.Nullable;

/**
 * How far long work has come, on one line of standard error that is written over; silent unless a
 * terminal is there, and at most ten times a second.
 */
final class Progress {
  /**
   * Set by the launcher, which can tell; System.console() says different things in different JVMs.
   */
  private static final String TERMINAL = "strandline.terminal";

  private static final long INTERVAL_NANOS = 100_000_000L;
  private static final int BAR = 30;

  private final @Nullable PrintStream out;
  private final LongSupplier nanos;
  private final String unit;
  private final long total;
  private final long started;
  private long drawn;
  private long last;

  /**
   * @param out where to; null draws nothing
   * @param total how much there is, or 0 if nobody knows
   */
  Progress(@Nullable PrintStream out, LongSupplier nanos, String unit, long total) {
    this.out = out;
    this.nanos = nanos;
    this.unit = unit;
    this.total = total;
    this.started = nanos.getAsLong();
    this.drawn = started - INTERVAL_NANOS;
  }

  static Progress onTerminal(String unit) {
    return onTerminal(unit, 0);
  }

  static Progress onTerminal(String unit, long total) {
    return new Progress(seen() ? System.err : null, System::nanoTime, unit, total);
  }

  /** Whether there is a terminal to draw on. */
  static boolean seen() {
    return Boolean.getBoolean(TERMINAL);
  }

  void at(long done) {
    last = done;
    long now = nanos.getAsLong();
    if (out != null && now - drawn >= INTERVAL_NANOS) {
      drawn = now;
      draw(done, now);
    }
  }

  void done() {
    if (out != null) {
      draw(last, nanos.getAsLong());
      out.println();
    }
  }

  private void draw(long done, long now) {
    double seconds = Math.max((now - started) / 1e9, 1e-3);
    String bar = "";
    if (total > 0) {
      int full = (int) Math.min(BAR, done * BAR / total);
      bar =
          "["
              + "#".repeat(full)
              + " ".repeat(BAR - full)
              + "] "
              + Math.min(100, done * 100 / total)
              + "% ";
    }
    if (out != null) {
      out.printf(Locale.ROOT, "\r%s%,d %s, %,.0f/s ", bar, done, unit, done / seconds);
      out.flush();
    }
  }
}

package io.strandline.broker.log.segment;

import java.nio.file.Path;
import java.util.Locale;

/** Kafka's names of files in a log's directory. */
public final class LogFiles {
  public static final String LOG = ".log";
  public static final String INDEX = ".index";
  public static final String TIME_INDEX = ".timeindex";
  public static final String TXN_INDEX = ".txnindex";
  public static final String SNAPSHOT = ".snapshot";
  public static final String DELETED = ".deleted";
  public static final String CLEANED = ".cleaned";
  public static final String SWAP = ".swap";

  private static final int DIGITS = 20;

  private LogFiles() {}

  /** Twenty digits and the kind. */
  public static Path of(Path directory, long offset, String kind) {
    return directory.resolve(String.format(Locale.ROOT, "%020d", offset) + kind);
  }

  /** The offset in a file's name, or -1 if the name does not begin with one. */
  public static long offsetOf(Path file) {
    String name = file.getFileName().toString();
    if (name.length() <= DIGITS || name.charAt(DIGITS) != '.') {
      return -1;
    }
    for (int i = 0; i < DIGITS; i++) {
      if (name.charAt(i) < '0' || name.charAt(i) > '9') {
        return -1;
      }
    }
    try {
      return Long.parseLong(name.substring(0, DIGITS));
    } catch (NumberFormatException beyondOffsets) {
      return -1;
    }
  }

  public static boolean is(Path file, String kind) {
    return file.getFileName().toString().length() == DIGITS + kind.length()
        && file.getFileName().toString().endsWith(kind)
        && offsetOf(file) >= 0;
  }
}

package io.strandline.broker.log.check;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** Keys of what the hot logs of a broker may use together, part of the broker's table. */
public final class LogKeys {
  /** What the page cache is trusted to hold. */
  public static final String HOT_WINDOW_BYTES = "strandline.hot.window.bytes";

  /** Sealed segments with open files. */
  public static final String OPEN_SEGMENTS = "strandline.log.open.segments.max";

  private LogKeys() {}

  /** Adds a row for each key. */
  public static void define(ConfigDef table) {
    table.define(
        HOT_WINDOW_BYTES,
        ConfigDef.Type.LONG,
        0L,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Of the broker's newest writes, in bytes: what the page cache is trusted to hold, so that "
            + "event loops send it. Older records are brought into memory by other threads first. "
            + "0: a quarter of the machine's memory.");
    table.define(
        OPEN_SEGMENTS,
        ConfigDef.Type.INT,
        2_000,
        Range.atLeast(1),
        Importance.LOW,
        "Sealed segments whose files, three at most, stay open to be read again, beside those that"
            + " are being read. The active segment of each partition has one more file open. While"
            + " as many segments wait to be sealed, none is rolled for its age alone.");
  }
}

package io.strandline.broker.partition.space;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Validator;

/**
 * Limits of the file system under each log directory.
 *
 * @param high with less free than this, the oldest tiered segments go
 * @param low until so much is free
 * @param reserve with less free than this, clients' records are not taken; until twice as much is
 */
public record SpaceConfig(Limit high, Limit low, Limit reserve) {
  public static final String HIGH = "strandline.disk.high.watermark";
  public static final String LOW = "strandline.disk.low.watermark";
  public static final String RESERVE = "strandline.disk.reserve";

  /** Bytes of sealed segments below which nothing of a partition goes up. */
  public static final String FEW_BYTES = "strandline.tier.upload.min.bytes";

  /** Age at which even few bytes go up. */
  public static final String FEW_MS = "strandline.tier.upload.max.age.ms";

  private static final long GIB = 1L << 30;
  private static final String OFF = "off";

  /** Bytes that should be free of so many. */
  public interface Limit {
    long freeBytes(long totalBytes);
  }

  /** A disk that is never watched. */
  public static SpaceConfig none() {
    return new SpaceConfig(total -> 0, total -> 0, total -> 0);
  }

  /**
   * From texts as the keys take them.
   *
   * @throws IllegalArgumentException if one is none
   */
  public static SpaceConfig of(String high, String low, String reserve) {
    return new SpaceConfig(
        limit(high, total -> Math.min(total / 10, 50 * GIB)),
        limit(low, total -> Math.min(total * 3 / 20, 75 * GIB)),
        limit(reserve, total -> Math.min(total / 50, GIB)));
  }

  private static Limit limit(String text, Limit otherwise) {
    if (text.isEmpty()) {
      return otherwise;
    }
    if (text.equals(OFF)) {
      return total -> 0;
    }
    if (text.endsWith("%")) {
      int used = Integer.parseInt(text.substring(0, text.length() - 1));
      if (used < 1 || used > 100) {
        throw new IllegalArgumentException("not a part of a disk: " + text);
      }
      return total -> total / 100 * (100 - used);
    }
    long free = Long.parseLong(text);
    if (free < 0) {
      throw new IllegalArgumentException("not a number of bytes: " + text);
    }
    return total -> Math.min(total, free);
  }

  /** Adds the keys to a table. */
  public static void define(ConfigDef table) {
    few(table);
    key(
        table,
        HIGH,
        "When the file system of a log directory is fuller than this, the oldest local segments that"
            + " are in the tier go, over all partitions, whatever local retention says; what is"
            + " sealed but too little goes up. Empty: the smaller of 10 % and 50 GiB free.");
    key(
        table,
        LOW,
        "How far local segments go once strandline.disk.high.watermark was passed. Empty: the"
            + " smaller of 15 % and 75 GiB free.");
    key(
        table,
        RESERVE,
        "When the file system of a log directory is fuller than this, producers are refused with"
            + " KAFKA_STORAGE_ERROR, which they try again, until twice as much is free. What"
            + " followers and coordinators write is taken still. Empty: the smaller of 2 % and 1 GiB"
            + " free.");
  }

  /** What stays on the disk because it is too little for an object. */
  private static void few(ConfigDef table) {
    table.define(
        FEW_BYTES,
        ConfigDef.Type.LONG,
        8L << 20,
        ConfigDef.Range.atLeast(0),
        Importance.MEDIUM,
        "Sealed segments of a partition stay on local disk until there are so many bytes of them,"
            + " whatever local retention says, or until disk space is wanted: a small object costs as"
            + " many requests as a large one. 0: nothing is too little.");
    table.define(
        FEW_MS,
        ConfigDef.Type.LONG,
        0L,
        ConfigDef.Range.atLeast(0),
        Importance.MEDIUM,
        "Sealed segments go up this long after their newest record, however few bytes there are: for"
            + " who wants the bucket as a backup of small partitions too. 0: never for their age.");
  }

  private static void key(ConfigDef table, String name, String what) {
    table.define(name, ConfigDef.Type.STRING, "", new Text(), Importance.MEDIUM, what);
  }

  /** What a key takes. */
  private static final class Text implements Validator {
    @Override
    public void ensureValid(String key, Object value) {
      limit(String.valueOf(value), total -> 0);
    }

    @Override
    public String toString() {
      return "used part as 85%, or free bytes, or off";
    }
  }
}

package io.strandline.broker.store;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.ValidString;

/** Keys of the check of what is tiered, part of the broker's table. */
public final class ScrubKeys {
  /** How often objects are listed. */
  public static final String LIST_MS = "strandline.scrub.list.ms";

  /** Rate of reading them. */
  public static final String BYTES = "strandline.scrub.bytes.per.second";

  /** How often all are read. */
  public static final String ROUND_MS = "strandline.scrub.round.ms";

  /** Age at which what nobody names goes. */
  public static final String GRACE_MS = "strandline.scrub.grace.ms";

  /** What to do about old versions. */
  public static final String VERSIONS = "strandline.scrub.versions";

  private ScrubKeys() {}

  /** Adds a row for each key. */
  public static void define(ConfigDef table) {
    long dayMs = 86_400_000L;
    table.define(
        LIST_MS,
        ConfigDef.Type.LONG,
        dayMs,
        Range.atLeast(1_000),
        Importance.MEDIUM,
        "How often the objects of a partition are listed and held against its manifest, and"
            + " orphans deleted.");
    table.define(
        BYTES,
        ConfigDef.Type.LONG,
        1L << 20,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Bytes a second at which a broker reads what it tiered from end to end and checks it; 0"
            + " for not at all. A request counts for a MiB at least.");
    table.define(
        ROUND_MS,
        ConfigDef.Type.LONG,
        30 * dayMs,
        Range.atLeast(1_000),
        Importance.MEDIUM,
        "A partition is not read from end to end again sooner than this after it was begun.");
    table.define(
        GRACE_MS,
        ConfigDef.Type.LONG,
        dayMs,
        Range.atLeast(1),
        Importance.LOW,
        "How old, by the store's clock, an object that no manifest names and an unfinished upload"
            + " have to be to be deleted. Must be longer than any request can be on its way.");
    table.define(
        VERSIONS,
        ConfigDef.Type.STRING,
        "warn",
        ValidString.in("warn", "delete"),
        Importance.MEDIUM,
        "What to do in a bucket that keeps old versions: delete those of our objects for good after"
            + " the grace, or warn at the start that a lifecycle rule has to.");
  }
}

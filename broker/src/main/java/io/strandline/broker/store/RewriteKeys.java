package io.strandline.broker.store;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** Keys of compaction and merging in the tier, part of the broker's table. */
public final class RewriteKeys {
  /** Longest read of a segment that is compacted or merged. */
  public static final String COMPACTION_GET_BYTES = "strandline.compaction.get.bytes";

  /** How long merged segments become. */
  public static final String MERGE_BYTES = "strandline.merge.bytes";

  private RewriteKeys() {}

  /** Adds a row for each key. */
  public static void define(ConfigDef table) {
    table.define(
        COMPACTION_GET_BYTES,
        ConfigDef.Type.INT,
        8 << 20,
        Range.between(64 << 10, 512 << 20),
        Importance.LOW,
        "The longest read of a tiered segment that is compacted or merged; as much memory for each "
            + "of log.cleaner.threads.");
    table.define(
        MERGE_BYTES,
        ConfigDef.Type.LONG,
        64L << 20,
        Range.atLeast(0),
        Importance.MEDIUM,
        "How long merged neighbours in the tier become, at most segment.bytes. 0: none are.");
  }
}

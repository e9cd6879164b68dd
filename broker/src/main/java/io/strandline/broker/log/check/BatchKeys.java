package io.strandline.broker.log.check;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;

/** Keys of what a batch may decode to, part of the broker's table. */
public final class BatchKeys {
  /** Bytes of a compressed batch's records. */
  public static final String DECODED_BYTES = "strandline.batch.decoded.bytes.max";

  /** Records of a compressed batch. */
  public static final String RECORDS = "strandline.batch.records.max";

  private BatchKeys() {}

  /** Adds a row for each key. */
  public static void define(ConfigDef table) {
    table.define(
        DECODED_BYTES,
        ConfigDef.Type.INT,
        100 << 20,
        Range.between(1 << 10, 1 << 30),
        Importance.MEDIUM,
        "What a compressed batch may decode to, in bytes, where the broker has to look into it."
            + " A larger one is refused with INVALID_RECORD, by produce to a compacted topic and by"
            + " look-ups by time; compaction and recompression keep it as it is.");
    table.define(
        RECORDS,
        ConfigDef.Type.INT,
        1 << 18,
        Range.atLeast(1),
        Importance.MEDIUM,
        "How many records a compressed batch may have. One of more is refused with INVALID_RECORD"
            + " by produce, and elsewhere treated as one beyond "
            + DECODED_BYTES
            + ".");
  }
}

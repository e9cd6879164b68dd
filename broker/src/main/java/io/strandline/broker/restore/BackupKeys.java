package io.strandline.broker.restore;

import org.apache.kafka.common.config.ConfigDef;

/** Configuration keys of what goes to the bucket so that a cluster can be built again from it. */
public final class BackupKeys {
  /** How far the tier may be behind an internal topic. */
  public static final String INTERNAL_BACKUP_MS = "strandline.internal.backup.ms";

  /** Least time between two backups of the cluster's metadata. */
  public static final String METADATA_BACKUP_MS = "strandline.metadata.backup.ms";

  /** Backups of the cluster's metadata that are kept. */
  public static final String METADATA_BACKUP_COUNT = "strandline.metadata.backup.count";

  private BackupKeys() {}

  /** Adds them, with defaults and what they mean. */
  public static void define(ConfigDef table) {
    table.define(
        INTERNAL_BACKUP_MS,
        ConfigDef.Type.LONG,
        300_000L,
        ConfigDef.Range.atLeast(0),
        ConfigDef.Importance.MEDIUM,
        "A segment of an internal topic (group offsets, transactions) that holds records is sealed"
            + " and uploaded at this age, so that a cluster restored from the bucket knows them."
            + " Costs at most one object and one manifest version in this time for each internal"
            + " partition that is written to; 0 waits until a segment is full.");
    table.define(
        METADATA_BACKUP_MS,
        ConfigDef.Type.LONG,
        60_000L,
        ConfigDef.Range.atLeast(0),
        ConfigDef.Importance.MEDIUM,
        "The live broker with the lowest id writes all metadata to the object store when"
            + " something changed, and at most once in this time; 0 never.");
    table.define(
        METADATA_BACKUP_COUNT,
        ConfigDef.Type.INT,
        100,
        ConfigDef.Range.between(1, 900),
        ConfigDef.Importance.LOW,
        "So many backups of the metadata stay in the object store.");
  }
}

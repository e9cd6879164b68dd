package io.strandline.broker.mount;

import java.util.Arrays;
import java.util.List;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.Validator;

/** The configuration keys of other clusters' history. */
public final class MountKeys {
  /** Where other clusters' history lies. */
  public static final String STORES = "strandline.mount.stores";

  /** How often another cluster's manifest is looked at. */
  public static final String REFRESH_MS = "strandline.mount.refresh.ms";

  /** How fast other clusters' segments are copied. */
  public static final String COPY_BYTES = "strandline.mount.copy.bytes.per.second";

  private static final long COPY_BYTES_DEFAULT = 64L << 20;

  private MountKeys() {}

  /** Adds a row for each key. */
  public static void define(ConfigDef table) {
    table.define(
        STORES,
        ConfigDef.Type.STRING,
        "",
        new Stores(),
        Importance.MEDIUM,
        "Object stores of other clusters, separated by commas, for topics that are restored or"
            + " mounted from them; only ever read. Credentials as for strandline.object.store.");
    table.define(
        REFRESH_MS,
        ConfigDef.Type.LONG,
        10_000L,
        Range.atLeast(100),
        Importance.MEDIUM,
        "How often the manifest of a mounted partition is looked at: how late its readers see what"
            + " the other cluster tiered. Costs a request each time.");
    table.define(
        COPY_BYTES,
        ConfigDef.Type.LONG,
        COPY_BYTES_DEFAULT,
        Range.atLeast(1),
        Importance.MEDIUM,
        "A broker copies at most so many bytes a second of topics that were restored with --copy,"
            + " on an average over segments.");
  }

  /** The stores that a value of {@link #STORES} names. */
  public static List<String> stores(String value) {
    return Arrays.stream(value.split(",", -1))
        .map(String::trim)
        .filter(uri -> !uri.isEmpty())
        .toList();
  }

  /** Stores by URI. */
  private static final class Stores implements Validator {
    @Override
    public void ensureValid(String key, Object value) {
      for (String store : stores(String.valueOf(value))) {
        if (!store.startsWith("file:") && !store.startsWith("s3://")) {
          throw new IllegalArgumentException("no such store");
        }
      }
    }

    @Override
    public String toString() {
      return "stores, separated by commas: file:<directory> or s3://bucket/prefix?…";
    }
  }
}

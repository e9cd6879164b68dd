package io.strandline.broker;

import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigDef.Validator;

/**
 * Our own configuration keys: one row each with type, default, range and what it does. The
 * reference in {@code docs/configuration.md} is generated from this table.
 */
public final class ConfigKeys {
  /** Where tiered segments go. */
  public static final String OBJECT_STORE = "strandline.object.store";

  /** Whether sealed segments go to the object store at all. */
  public static final String TIER_ENABLE = "strandline.tier.enable";

  /** Bytes of memory for chunks of history. */
  public static final String CACHE_MEMORY_BYTES = "strandline.cache.memory.bytes";

  /** Bytes of disk for chunks of history. */
  public static final String CACHE_DISK_BYTES = "strandline.cache.disk.bytes";

  /** Where the disk tier of the cache lies. */
  public static final String CACHE_DIRECTORY = "strandline.cache.directory";

  /** Bytes of the newest writes that are sent without leaving the event loop. */
  public static final String HOT_WINDOW_BYTES = "strandline.hot.window.bytes";

  /** Whether record frames of uncompressed batches are walked. */
  public static final String VALIDATION_WALK = "strandline.validation.walk";

  /** Whether every batch is decompressed and checked record by record. */
  public static final String VALIDATION_STRICT = "strandline.validation.strict";

  /** Bytes of requests that are being read or served. */
  public static final String IN_FLIGHT_BYTES = "strandline.socket.in.flight.bytes";

  /** Where metrics and health are told. */
  public static final String ADMIN_LISTENER = "strandline.admin.listener";

  /** Format of log lines. */
  public static final String LOG_FORMAT = "strandline.log.format";

  /** Level of log lines. */
  public static final String LOG_LEVEL = "strandline.log.level";

  /** All keys. */
  public static final ConfigDef TABLE = table();

  private ConfigKeys() {}

  private static ConfigDef table() {
    ConfigDef table = new ConfigDef();
    history(table);
    serving(table);
    operation(table);
    return table;
  }

  /** Where history goes and what is kept of it here. */
  private static void history(ConfigDef table) {
    table.define(
        OBJECT_STORE,
        ConfigDef.Type.STRING,
        "",
        new Store(),
        Importance.MEDIUM,
        "Where tiered segments go: file:<directory>, or"
            + " s3://bucket/prefix?region=…&endpoint=…. Empty: a directory inside the first"
            + " directory of log.dirs.");
    table.define(
        TIER_ENABLE,
        ConfigDef.Type.BOOLEAN,
        true,
        null,
        Importance.MEDIUM,
        "Whether sealed segments go to the object store. A topic can opt out with"
            + " remote.storage.enable=false.");
    table.define(
        CACHE_MEMORY_BYTES,
        ConfigDef.Type.LONG,
        128L << 20,
        Range.atLeast(1 << 20),
        Importance.MEDIUM,
        "Memory for chunks of history that were read from the object store, in bytes, outside the"
            + " heap.");
    table.define(
        CACHE_DISK_BYTES,
        ConfigDef.Type.LONG,
        1L << 30,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Local disk for chunks of history, in bytes; 0 for none.");
    table.define(
        CACHE_DIRECTORY,
        ConfigDef.Type.STRING,
        "",
        null,
        Importance.MEDIUM,
        "Where the disk part of the cache lies. Empty: inside the first directory of log.dirs.");
  }

  /** How records are taken and given. */
  private static void serving(ConfigDef table) {
    table.define(
        HOT_WINDOW_BYTES,
        ConfigDef.Type.LONG,
        0L,
        Range.atLeast(0),
        Importance.MEDIUM,
        "How many of the newest bytes of the local logs are taken to be in the page cache and are"
            + " sent without leaving the event loop; older local bytes go through the read threads."
            + " 0: a quarter of the machine's memory.");
    table.define(
        VALIDATION_WALK,
        ConfigDef.Type.BOOLEAN,
        true,
        null,
        Importance.MEDIUM,
        "Whether the record frames of uncompressed batches are checked on append.");
    table.define(
        VALIDATION_STRICT,
        ConfigDef.Type.BOOLEAN,
        false,
        null,
        Importance.MEDIUM,
        "Whether every produced batch is decompressed and checked record by record, as Apache Kafka"
            + " does. Costs most of the processor.");
    table.define(
        IN_FLIGHT_BYTES,
        ConfigDef.Type.LONG,
        256L << 20,
        Range.atLeast(1 << 20),
        Importance.MEDIUM,
        "Memory for requests that are being read or served, in bytes, unless"
            + " queued.max.request.bytes is set. When it is used up, connections are not read.");
  }

  /** How the node is watched. */
  private static void operation(ConfigDef table) {
    table.define(
        ADMIN_LISTENER,
        ConfigDef.Type.STRING,
        "127.0.0.1:9644",
        new Address(),
        Importance.MEDIUM,
        "host:port of the admin HTTP endpoint with /metrics, /healthz and /readyz; port 0 for a free"
            + " one; off for none.");
    table.define(
        LOG_FORMAT,
        ConfigDef.Type.STRING,
        "console",
        ValidString.in("console", "json"),
        Importance.MEDIUM,
        "Log lines on standard error: console for people, json for machines, one object a line.");
    table.define(
        LOG_LEVEL,
        ConfigDef.Type.STRING,
        "info",
        ValidString.in("error", "warn", "info", "debug", "trace"),
        Importance.MEDIUM,
        "Log level of Strandline. Libraries speak from warn on, from debug when this is trace.");
  }

  /** A store that {@link #OBJECT_STORE} can name. */
  private static final class Store implements Validator {
    @Override
    public void ensureValid(String key, Object value) {
      String store = String.valueOf(value);
      if (!store.isEmpty() && !store.startsWith("file:") && !store.startsWith("s3://")) {
        throw new IllegalArgumentException("no such store");
      }
    }

    @Override
    public String toString() {
      return "file:<directory> or s3://bucket/prefix?…";
    }
  }

  /** A host with a port. */
  private static final class Address implements Validator {
    @Override
    public void ensureValid(String key, Object value) {
      String address = String.valueOf(value);
      if (!address.equals("off")) {
        int port = Integer.parseInt(address.substring(address.lastIndexOf(':') + 1));
        if (port < 0 || port > 65535 || address.lastIndexOf(':') < 1) {
          throw new IllegalArgumentException("no such address");
        }
      }
    }

    @Override
    public String toString() {
      return "host:port, or off";
    }
  }
}

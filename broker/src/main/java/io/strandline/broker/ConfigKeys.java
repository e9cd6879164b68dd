package io.strandline.broker;

import io.strandline.broker.guard.identity.SecurityKeys;
import io.strandline.broker.history.HistoryKeys;
import io.strandline.broker.log.check.BatchKeys;
import io.strandline.broker.log.check.LogKeys;
import io.strandline.broker.mount.MountKeys;
import io.strandline.broker.partition.space.SpaceConfig;
import io.strandline.broker.restore.BackupKeys;
import io.strandline.broker.store.RewriteKeys;
import io.strandline.broker.store.ScrubKeys;
import io.strandline.broker.telemetry.TelemetryKeys;
import io.strandline.tiering.upload.RecompressionPolicy;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.Importance;
import org.apache.kafka.common.config.ConfigDef.Range;
import org.apache.kafka.common.config.ConfigDef.ValidString;
import org.apache.kafka.common.config.ConfigDef.Validator;

/** Our own configuration keys; {@code docs/configuration.md} is generated from this table. */
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

  /** Whether record frames of uncompressed batches are walked. */
  public static final String VALIDATION_WALK = "strandline.validation.walk";

  /** Whether every batch is decompressed and checked record by record. */
  public static final String VALIDATION_STRICT = "strandline.validation.strict";

  /** Bytes of requests that are being read or served. */
  public static final String IN_FLIGHT_BYTES = "strandline.socket.in.flight.bytes";

  /** Time of one request to the store. */
  public static final String STORE_TIMEOUT_MS = "strandline.store.timeout.ms";

  /** Tries of one request to the store. */
  public static final String STORE_ATTEMPTS = "strandline.store.attempts";

  /** Reads under way at once. */
  public static final String STORE_READS = "strandline.store.reads.max";

  /** Writes under way at once. */
  public static final String STORE_WRITES = "strandline.store.writes.max";

  /** Bytes under way at once. */
  public static final String STORE_BYTES = "strandline.store.bytes.max";

  /** Whether no other broker writes to the store. */
  public static final String STORE_SINGLE_WRITER = "strandline.store.single.writer";

  /** How often a partition is looked at. */
  public static final String TIER_CHECK_MS = "strandline.tier.check.ms";

  /** How often bytes are reclaimed. */
  public static final String TIER_RECLAIM_MS = "strandline.tier.reclaim.ms";

  /** Time between retiring a segment and deleting its object. */
  public static final String TIER_GRACE_MS = "strandline.tier.grace.ms";

  /** Uploads at once. */
  public static final String TIER_UPLOADS = "strandline.tier.uploads.max";

  /** Bytes of uploads at once. */
  public static final String TIER_UPLOAD_BYTES = "strandline.tier.uploads.bytes";

  /** Bytes of sealed segments that go up at once. */
  public static final String TIER_GATHER_BYTES = "strandline.tier.gather.bytes";

  /** How long sealed segments wait for company. */
  public static final String TIER_GATHER_MS = "strandline.tier.gather.ms";

  /** File of the keys that segments are encrypted with. */
  public static final String ENCRYPTION_KEYRING = "strandline.encryption.keyring";

  /** Which topics' batches are compressed again on their way to the tier. */
  public static final String TIER_RECOMPRESS = "strandline.tier.recompress";

  /** Bytes of history under way. */
  public static final String REPLAY_BUDGET_BYTES = "strandline.replay.budget.bytes";

  /** Largest batch beside the budget. */
  public static final String REPLAY_BATCH_BYTES = "strandline.replay.batch.bytes";

  /** Longest read of history. */
  public static final String REPLAY_GET_BYTES = "strandline.replay.get.bytes";

  /** Age of a manifest that replay trusts. */
  public static final String REPLAY_STALE_MS = "strandline.replay.stale.ms";

  /** Unanswered requests of a connection. */
  public static final String REQUESTS_PER_CONNECTION = "strandline.socket.requests.per.connection";

  /** Unsent bytes of a connection. */
  public static final String UNSENT_BYTES = "strandline.socket.unsent.bytes";

  /** Largest append on an event loop. */
  public static final String INLINE_BYTES = "strandline.append.inline.bytes";

  /** Largest copy into a response. */
  public static final String COPY_BYTES = "strandline.fetch.copy.bytes";

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
    store(table);
    tier(table);
    BackupKeys.define(table);
    shipping(table);
    RewriteKeys.define(table);
    SpaceConfig.define(table);
    ScrubKeys.define(table);
    MountKeys.define(table);
    replay(table);
    limits(table);
    BatchKeys.define(table);
    LogKeys.define(table);
    SecurityKeys.define(table);
    TelemetryKeys.define(table);
    HistoryKeys.define(table);
    return table;
  }

  private static void store(ConfigDef table) {
    table.define(
        STORE_TIMEOUT_MS,
        ConfigDef.Type.LONG,
        10_000L,
        Range.atLeast(100),
        Importance.MEDIUM,
        "How long one request to the object store may take, and a millisecond more for "
            + "each KiB it moves.");
    table.define(
        STORE_ATTEMPTS,
        ConfigDef.Type.INT,
        6,
        Range.between(1, 100),
        Importance.MEDIUM,
        "How often a request to the object store is tried before whoever asked is told.");
    table.define(
        STORE_READS,
        ConfigDef.Type.INT,
        64,
        Range.between(1, 10_000),
        Importance.MEDIUM,
        "How many reads of the object store are under way at once.");
    table.define(
        STORE_WRITES,
        ConfigDef.Type.INT,
        32,
        Range.between(1, 10_000),
        Importance.MEDIUM,
        "How many writes, lists and deletions of the object store are under way at once.");
    table.define(
        STORE_BYTES,
        ConfigDef.Type.LONG,
        256L << 20,
        Range.atLeast(1 << 20),
        Importance.MEDIUM,
        "Memory for what is being read from the object store, and as much for what is "
            + "being written, in bytes.");
    table.define(
        STORE_SINGLE_WRITER,
        ConfigDef.Type.BOOLEAN,
        false,
        null,
        Importance.MEDIUM,
        "This broker is the only one that ever writes to the store: a store that lets two"
            + " conditional writers both win is then accepted.");
  }

  private static void tier(ConfigDef table) {
    table.define(
        TIER_CHECK_MS,
        ConfigDef.Type.LONG,
        1_000L,
        Range.atLeast(10),
        Importance.MEDIUM,
        "How often a partition is looked at for segments to upload.");
    table.define(
        TIER_RECLAIM_MS,
        ConfigDef.Type.LONG,
        30_000L,
        Range.atLeast(10),
        Importance.MEDIUM,
        "How often release of local bytes, retention and deletion are looked at; a commit"
            + " looks at once.");
    table.define(
        TIER_GRACE_MS,
        ConfigDef.Type.LONG,
        86_400_000L,
        Range.atLeast(0),
        Importance.MEDIUM,
        "How long the object of a segment that retention, or a topic's deletion, removed "
            + "stays for replays that still read it.");
    table.define(
        TIER_UPLOADS,
        ConfigDef.Type.INT,
        4,
        Range.between(1, 1_000),
        Importance.MEDIUM,
        "How many segments are uploaded at once.");
    table.define(
        TIER_UPLOAD_BYTES,
        ConfigDef.Type.LONG,
        512L << 20,
        Range.atLeast(1 << 20),
        Importance.MEDIUM,
        "Sum of the lengths of the segments that are uploaded at once; a longer one goes alone.");
  }

  /** How segments go up. */
  private static void shipping(ConfigDef table) {
    table.define(
        TIER_RECOMPRESS,
        ConfigDef.Type.STRING,
        "",
        new Recompression(),
        Importance.MEDIUM,
        "Topics whose batches are compressed by zstd before they go to the object store, as"
            + " <pattern>:<level>,…; the first pattern that fits decides, * and ? stand for any"
            + " characters and for one. Empty: none.");
    table.define(
        TIER_GATHER_BYTES,
        ConfigDef.Type.LONG,
        512L << 20,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Sealed segments of a partition go up once there are so many bytes of them, so that one"
            + " version of its manifest names several. 0: each as soon as it may.");
    table.define(
        TIER_GATHER_MS,
        ConfigDef.Type.LONG,
        600_000L,
        Range.atLeast(0),
        Importance.MEDIUM,
        "How long a sealed segment waits for others at most; less when local retention wants its"
            + " bytes gone.");
  }

  private static void replay(ConfigDef table) {
    table.define(
        REPLAY_BUDGET_BYTES,
        ConfigDef.Type.LONG,
        0L,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Bytes of history being fetched or held for readers; at most three quarters of "
            + "strandline.cache.memory.bytes. 0: half of it.");
    table.define(
        REPLAY_BATCH_BYTES,
        ConfigDef.Type.INT,
        0,
        Range.atLeast(0),
        Importance.MEDIUM,
        "The largest batch of history that is served though it is more than "
            + "strandline.replay.budget.bytes: one at a time, in as much memory of the heap. Readers"
            + " of a larger one get KAFKA_STORAGE_ERROR. 0: socket.request.max.bytes, the largest"
            + " that can have been produced here.");
    table.define(
        REPLAY_GET_BYTES,
        ConfigDef.Type.INT,
        32 << 20,
        Range.between(1 << 20, 512 << 20),
        Importance.MEDIUM,
        "The longest read of history from the object store, and how far a reader is read "
            + "ahead of.");
    table.define(
        REPLAY_STALE_MS,
        ConfigDef.Type.LONG,
        5_000L,
        Range.atLeast(0),
        Importance.MEDIUM,
        "How old what is known of a partition's manifest may be before a replay reads it again.");
  }

  private static void limits(ConfigDef table) {
    table.define(
        REQUESTS_PER_CONNECTION,
        ConfigDef.Type.INT,
        64,
        Range.between(1, 100_000),
        Importance.MEDIUM,
        "Unanswered requests after which a connection is not read.");
    table.define(
        UNSENT_BYTES,
        ConfigDef.Type.LONG,
        4L << 20,
        Range.atLeast(1 << 10),
        Importance.MEDIUM,
        "Bytes of answers that a client has not taken, after which its connection is not read.");
    table.define(
        INLINE_BYTES,
        ConfigDef.Type.INT,
        1 << 20,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Batches up to this size are appended by the event loop that read them, longer "
            + "ones by the log's threads. 0: all by the log's threads.");
    table.define(
        COPY_BYTES,
        ConfigDef.Type.INT,
        16 << 10,
        Range.atLeast(0),
        Importance.MEDIUM,
        "Records of a partition up to this size are copied into the response; more leave "
            + "by sendfile.");
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
            + " directory of log.dirs, for a node that is alone; brokers of a cluster share one.");
    table.define(
        ENCRYPTION_KEYRING,
        ConfigDef.Type.STRING,
        "",
        null,
        Importance.MEDIUM,
        "A file of keys, with which segments are encrypted before they go to the object store."
            + " Empty: they are not. docs/encryption.md.");
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

  /** What {@link #TIER_RECOMPRESS} can say. */
  private static final class Recompression implements Validator {
    @Override
    public void ensureValid(String key, Object value) {
      RecompressionPolicy unused = RecompressionPolicy.parse(String.valueOf(value));
    }

    @Override
    public String toString() {
      return "<pattern>:<level from 1 to 22>,…";
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

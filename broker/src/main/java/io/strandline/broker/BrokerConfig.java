package io.strandline.broker;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.history.HistoryKeys;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Reader;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.stream.Stream;
import org.apache.kafka.common.KafkaException;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;
import org.apache.kafka.common.config.ConfigDef.ConfigKey;
import org.apache.kafka.network.SocketServerConfigs;
import org.apache.kafka.server.config.AbstractKafkaConfig;
import org.apache.kafka.server.config.DynamicBrokerConfig;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The configuration of a node: Kafka's keys with Kafka's meanings, ours beside them. Later sources
 * win over earlier ones: built-in defaults, {@code server.properties}, the environment, {@code
 * --set}.
 *
 * <p>An environment variable {@code STRANDLINE_LOG_DIRS} sets {@code log.dirs}: the prefix goes,
 * the rest in lower case, {@code _} becomes a dot, {@code __} an underscore, {@code ___} a dash.
 * What is no key of Kafka's then but is one of ours without its first word is ours: {@code
 * STRANDLINE_OBJECT_STORE} sets {@code strandline.object.store}. {@code
 * STRANDLINE_SSL_KEYSTORE_PASSWORD_FILE} names a file whose first line is the value of {@code
 * ssl.keystore.password}, unless there is a key of that very name.
 */
public final class BrokerConfig {
  private static final String PREFIX = "STRANDLINE_";
  private static final String OURS = "strandline.";

  private static final String FROM_FILE = "_FILE";

  /** Memory outside the heap, as {@code -XX:MaxDirectMemorySize} takes it. */
  private static final String DIRECT = "STRANDLINE_DIRECT";

  /** Variables that are no keys, of the launcher most of them. */
  private static final Set<String> LAUNCHER =
      Set.of(
          "STRANDLINE_JAVA_OPTS",
          "STRANDLINE_HEAP",
          DIRECT,
          "STRANDLINE_MEMORY",
          "STRANDLINE_TMP",
          "STRANDLINE_HOME",
          "STRANDLINE_PARENT",
          Formatting.CLUSTER_ID,
          Formatting.INITIAL_CONTROLLERS,
          "STRANDLINE_CLASS_DATA");

  /** What a node does without any configuration. */
  private static final Map<String, String> EMBEDDED =
      Map.of("listeners", "PLAINTEXT://127.0.0.1:9092", "log.dirs", "./data");

  private static final Logger LOG = LoggerFactory.getLogger(BrokerConfig.class);

  private final Map<String, String> kafka;
  private final Map<String, Object> ours;
  private final List<String> unknown;
  private final Function<String, Optional<Object>> changes;

  private BrokerConfig(
      Map<String, String> kafka,
      Map<String, Object> ours,
      List<String> unknown,
      Function<String, Optional<Object>> changes) {
    this.kafka = Map.copyOf(kafka);
    this.ours = Map.copyOf(ours);
    this.unknown = List.copyOf(unknown);
    this.changes = changes;
  }

  /**
   * The same, whose numbers and switches of Kafka are at any time what the cluster has set.
   *
   * @param changes by Kafka's key what it was changed to, empty where the file holds
   */
  BrokerConfig following(Function<String, Optional<Object>> changes) {
    return new BrokerConfig(kafka, ours, unknown, changes);
  }

  /**
   * Reads the sources.
   *
   * @param file {@code server.properties}, or none for the embedded default
   * @param environment of the process; only variables with our prefix count, and {@code
   *     STRANDLINE_DIRECT} makes the defaults of what is kept outside the heap fit
   * @param set keys and values of {@code --set}
   * @throws ConfigError naming every key with a wrong value, the value, and what is allowed
   */
  public static BrokerConfig load(
      Optional<Path> file, Map<String, String> environment, Map<String, String> set) {
    Map<String, String> all = new TreeMap<>();
    String direct = environment.getOrDefault(DIRECT, "");
    if (!direct.isEmpty()) { // as the launcher takes it
      all.putAll(fitting(bytes(direct)));
    }
    file.ifPresent(path -> all.putAll(read(path)));
    new TreeMap<>(environment)
        .forEach(
            (name, value) -> {
              if (name.startsWith(PREFIX) && !LAUNCHER.contains(name)) {
                boolean secret = name.endsWith(FROM_FILE) && !namesKey(name);
                String variable = secret ? withoutFile(name, environment) : name;
                all.put(key(variable), secret ? firstLine(name, value) : value);
              }
            });
    all.putAll(set);
    return of(all);
  }

  /**
   * Defaults of what is kept outside the heap, in the proportions they have to the gigabyte that
   * the launcher gives by default; beyond it the cache gets most of what there is more.
   */
  private static Map<String, String> fitting(long direct) {
    long usual = 1L << 30;
    long cache = direct <= usual ? direct / 8 : usual / 8 + (direct - usual) / 4 * 3;
    long quarter = Math.min(direct, usual) / 4;
    long request = Math.min(direct / 2, 100 << 20);
    return Map.of(
        ConfigKeys.CACHE_MEMORY_BYTES, Long.toString(cache),
        ConfigKeys.IN_FLIGHT_BYTES, Long.toString(quarter),
        ConfigKeys.STORE_BYTES, Long.toString(quarter),
        SocketServerConfigs.SOCKET_REQUEST_MAX_BYTES_CONFIG, Long.toString(request));
  }

  private static long bytes(String text) {
    int unit = "kmg".indexOf(Character.toLowerCase(text.charAt(text.length() - 1)));
    try {
      return unit < 0
          ? Long.parseLong(text)
          : Long.parseLong(text.substring(0, text.length() - 1)) << (10 * (unit + 1));
    } catch (NumberFormatException e) {
      throw new ConfigError(DIRECT + "=" + text + " is not allowed: bytes, or 512m, 2g");
    }
  }

  /** Whether a variable that ends so is meant as it stands: some keys of Kafka's name files. */
  private static boolean namesKey(String variable) {
    String key = key(variable);
    return Stream.of(AbstractKafkaConfig.CONFIG_DEF, ConfigKeys.TABLE)
        .flatMap(table -> table.configKeys().keySet().stream())
        .anyMatch(known -> known.endsWith(".file") && key.endsWith(known));
  }

  private static String withoutFile(String name, Map<String, String> environment) {
    String variable = name.substring(0, name.length() - FROM_FILE.length());
    if (environment.containsKey(variable)) {
      throw new ConfigError(variable + " and " + name + " are both set: one of them");
    }
    return variable;
  }

  /** Without its end: what writes secrets into files ends the line, or does not. */
  private static String firstLine(String variable, String file) {
    try (BufferedReader lines = Files.newBufferedReader(Path.of(file), StandardCharsets.UTF_8)) {
      String line = lines.readLine();
      return line == null ? "" : line;
    } catch (IOException | InvalidPathException e) {
      throw new ConfigError(variable + "=" + file + " can not be read: " + e.getMessage());
    }
  }

  /**
   * A configuration of these keys and values and the defaults.
   *
   * @throws ConfigError naming every key with a wrong value
   */
  public static BrokerConfig of(Map<String, String> given) {
    Map<String, String> kafka = new HashMap<>(EMBEDDED);
    if (given.containsKey("log.dir")) {
      kafka.remove("log.dirs");
    }
    Map<String, String> mine = new HashMap<>();
    List<String> unknown = new ArrayList<>();
    List<String> wrong = new ArrayList<>();
    new TreeMap<>(resolved(given))
        .forEach(
            (key, value) -> {
              if (key.startsWith(OURS)) {
                mine.put(key, value.trim());
                check(ConfigKeys.TABLE, key, value, unknown, wrong);
              } else {
                kafka.put(key, value.trim());
                check(AbstractKafkaConfig.CONFIG_DEF, key, value, unknown, wrong);
              }
            });
    if (!wrong.isEmpty()) {
      throw new ConfigError(String.join("\n", wrong));
    }
    return new BrokerConfig(kafka, ConfigKeys.TABLE.parse(mine), unknown, key -> Optional.empty());
  }

  /** With what {@code config.providers} say put where a value names them (KIP-297, KIP-421). */
  private static Map<String, String> resolved(Map<String, String> given) {
    if (!given.containsKey(AbstractConfig.CONFIG_PROVIDERS_CONFIG)) {
      return given;
    }
    Properties all = new Properties();
    all.putAll(given);
    Map<String, String> values = new HashMap<>(given);
    try {
      DynamicBrokerConfig.resolveVariableConfigs(all)
          .forEach((key, value) -> values.put((String) key, String.valueOf(value)));
    } catch (KafkaException e) {
      throw new ConfigError("config.providers: " + e.getMessage());
    }
    return values;
  }

  /** The key that an environment variable sets. */
  static String key(String variable) {
    String name =
        variable
            .substring(PREFIX.length())
            .toLowerCase(Locale.ROOT)
            .replace("___", "-")
            .replace("__", "\0")
            .replace('_', '.')
            .replace('\0', '_');
    boolean kafkas = AbstractKafkaConfig.CONFIG_DEF.configKeys().containsKey(name);
    return !kafkas && ConfigKeys.TABLE.configKeys().containsKey(OURS + name) ? OURS + name : name;
  }

  private static Map<String, String> read(Path file) {
    Properties properties = new Properties();
    try (Reader reader = Files.newBufferedReader(file, StandardCharsets.UTF_8)) {
      properties.load(reader);
    } catch (IOException e) {
      throw new ConfigError(
          "the configuration file " + file + " can not be read: " + e.getMessage());
    } catch (IllegalArgumentException e) {
      throw new ConfigError("the configuration file " + file + " is malformed: " + e.getMessage());
    }
    Map<String, String> values = new HashMap<>();
    properties.stringPropertyNames().forEach(key -> values.put(key, properties.getProperty(key)));
    return values;
  }

  private static void check(
      ConfigDef table, String key, String value, List<String> unknown, List<String> wrong) {
    ConfigKey known = table.configKeys().get(key);
    if (known == null) {
      if (!expected(key)) {
        unknown.add(key);
      }
      return;
    }
    try {
      Object parsed = ConfigDef.parseType(key, value, known.type);
      if (known.validator != null) {
        known.validator.ensureValid(key, parsed);
      }
    } catch (RuntimeException e) {
      boolean secret = known.type == ConfigDef.Type.PASSWORD;
      wrong.add(key + "=" + (secret ? "[hidden]" : value) + " is not allowed: " + allowed(known));
    }
  }

  /** What a key takes, in words. */
  static String allowed(ConfigKey key) {
    String type = key.type.name().toLowerCase(Locale.ROOT);
    return key.validator == null ? type : type + ", " + key.validator;
  }

  /** Keys that stand in no table: by listener, by mechanism, of plug-ins. */
  private static boolean expected(String key) {
    return key.startsWith("listener.name.")
        || key.startsWith("config.providers")
        || key.startsWith("metrics.context.")
        || key.startsWith("sasl.")
        || key.startsWith("ssl.")
        || key.equals("super.users")
        || key.equals("allow.everyone.if.no.acl.found");
  }

  /** Kafka's keys and values, embedded defaults included. */
  public Map<String, String> kafka() {
    return kafka;
  }

  /** A number that Kafka's configuration has for the key, its default put in. */
  public long kafkaNumber(String key) {
    return ((Number) kafkaValue(key)).longValue();
  }

  /** As above, for what must fit an int. */
  public int kafkaInt(String key) {
    return Math.toIntExact(kafkaNumber(key));
  }

  /** As above, for what may be a fraction. */
  public double kafkaDouble(String key) {
    return ((Number) kafkaValue(key)).doubleValue();
  }

  /** What Kafka's configuration says of the key, as text; empty when it says nothing. */
  public String kafkaText(String key) {
    return String.valueOf(kafkaValue(key));
  }

  /** A switch of Kafka's configuration, its default put in. */
  public boolean kafkaOn(String key) {
    return (Boolean) kafkaValue(key);
  }

  private Object kafkaValue(String key) {
    ConfigKey known = AbstractKafkaConfig.CONFIG_DEF.configKeys().get(key);
    if (known == null) {
      throw new IllegalArgumentException("no key of Kafka's: " + key);
    }
    Optional<Object> changed = changes.apply(key);
    if (changed.isPresent()) {
      return changed.get();
    }
    String given = kafka.get(key);
    Object value = given == null ? known.defaultValue : ConfigDef.parseType(key, given, known.type);
    return value == null ? "" : value;
  }

  /** Keys that neither Kafka nor we know. */
  public List<String> unknown() {
    return unknown;
  }

  /** Says so of each. */
  void warnOfUnknown() {
    unknown.forEach(
        key ->
            LOG.atWarn()
                .addKeyValue("key", key)
                .log("unknown configuration key, nothing reads it"));
  }

  /** What the control plane reads. */
  public ControlConfig control() {
    return new ControlConfig(kafka, on(HistoryKeys.REPLAY_BROKER));
  }

  /** A key of ours with a text. */
  public String text(String key) {
    return (String) value(key);
  }

  /** A key of ours with a number. */
  public long number(String key) {
    return ((Number) value(key)).longValue();
  }

  /** A key of ours that is on or off. */
  public boolean on(String key) {
    return (Boolean) value(key);
  }

  private Object value(String key) {
    Object value = ours.get(key);
    if (value == null) {
      throw new IllegalArgumentException("no key of ours: " + key);
    }
    return value;
  }

  /** The first directory of {@code log.dirs}. */
  public Path dataDirectory() {
    return control().logDirectories().get(0);
  }

  /** What this node keeps beside the logs: cache, hints, the default object store. */
  public Path ownDirectory() {
    return dataDirectory().resolve("strandline");
  }

  /** The object store, the default put in. */
  public String objectStore() {
    String store = text(ConfigKeys.OBJECT_STORE);
    return store.isEmpty() ? "file:" + ownDirectory().resolve("objects") : store;
  }

  /**
   * The brokers of a cluster share one store, and the default lies in a directory of one node.
   *
   * @throws StartException unless this node is alone, or a store is named that keeps writers apart,
   *     or nothing is tiered
   */
  void requireSharedStore() {
    if (!control().alone() && on(ConfigKeys.STORE_SINGLE_WRITER)) {
      throw new StartException(
          ConfigKeys.STORE_SINGLE_WRITER
              + "=true is for a node that is alone: this one is part of a larger cluster, and a"
              + " partition's next leader would write beside its last");
    }
    if (!control().alone()
        && text(ConfigKeys.OBJECT_STORE).isEmpty()
        && on(ConfigKeys.TIER_ENABLE)) {
      throw new StartException(
          ConfigKeys.OBJECT_STORE
              + " must be set on a node of a larger cluster: all its brokers share one store,"
              + " s3://bucket/prefix or file:<a directory that all of them see>; or set "
              + ConfigKeys.TIER_ENABLE
              + "=false on all of them");
    }
  }

  /** Where the disk part of the cache lies, the default put in. */
  public Path cacheDirectory() {
    String directory = text(ConfigKeys.CACHE_DIRECTORY);
    return directory.isEmpty() ? ownDirectory().resolve("cache") : Path.of(directory);
  }

  /** Where the admin endpoint listens; empty when it is off. */
  public Optional<InetSocketAddress> adminListener() {
    String address = text(ConfigKeys.ADMIN_LISTENER);
    if (address.equals("off")) {
      return Optional.empty();
    }
    int colon = address.lastIndexOf(':');
    return Optional.of(
        new InetSocketAddress(
            address.substring(0, colon), Integer.parseInt(address.substring(colon + 1))));
  }
}

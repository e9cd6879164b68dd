package io.strandline.tools.doctor;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.Properties;
import java.util.Set;
import org.apache.kafka.common.config.AbstractConfig;
import org.apache.kafka.common.config.ConfigDef;

/**
 * What a node's configuration says of the things that are looked at: {@code server.properties} and,
 * over it, the environment, as the node itself reads them. Values that {@code config.providers}
 * give are resolved.
 */
public final class NodeConfig {
  private static final String PREFIX = "STRANDLINE_";
  private static final String OURS = "strandline.";
  private static final String ADMIN = "127.0.0.1:9644";

  private final Map<String, String> values;
  private final Map<String, String> environment;

  private NodeConfig(Map<String, String> values, Map<String, String> environment) {
    this.values = Map.copyOf(values);
    this.environment = Map.copyOf(environment);
  }

  /**
   * @param file none for a node without configuration
   * @throws IllegalArgumentException if it is malformed
   */
  public static NodeConfig load(Optional<Path> file, Map<String, String> environment)
      throws IOException {
    Properties properties = new Properties();
    if (file.isPresent()) {
      try (Reader reader = Files.newBufferedReader(file.get())) {
        properties.load(reader);
      }
    }
    Map<String, String> values = new HashMap<>();
    properties.stringPropertyNames().forEach(key -> values.put(key, properties.getProperty(key)));
    if (values.containsKey(AbstractConfig.CONFIG_PROVIDERS_CONFIG)) {
      values.putAll(new AbstractConfig(new ConfigDef(), values, false).originalsStrings());
    }
    return new NodeConfig(values, environment);
  }

  /** The value of a key, without blanks around it; {@code otherwise} where there is none. */
  String get(String key, String otherwise) {
    String variable = PREFIX + variable(key);
    String shorter = key.startsWith(OURS) ? PREFIX + variable(key.substring(OURS.length())) : "";
    String given =
        environment.getOrDefault(
            variable, environment.getOrDefault(shorter, values.getOrDefault(key, "")));
    return given.isBlank() ? otherwise : given.strip();
  }

  private static String variable(String key) {
    return key.replace("_", "__").replace("-", "___").replace('.', '_').toUpperCase(Locale.ROOT);
  }

  List<Path> logDirectories() {
    return Arrays.stream(get("log.dirs", get("log.dir", "./data")).split(",", -1))
        .map(String::strip)
        .filter(name -> !name.isEmpty())
        .map(Path::of)
        .toList();
  }

  /** Of logs, of the metadata and of the cache, each once. */
  Set<Path> directories() {
    Set<Path> all = new LinkedHashSet<>(logDirectories());
    for (String key : List.of("metadata.log.dir", "strandline.cache.directory")) {
      String named = get(key, "");
      if (!named.isEmpty()) {
        all.add(Path.of(named));
      }
    }
    return all;
  }

  boolean hasRole(String role) {
    return Arrays.stream(get("process.roles", "broker,controller").split(",", -1))
        .map(String::strip)
        .anyMatch(role::equals);
  }

  /** Whether it only reads from the store, but for a trial at its start. */
  boolean replays() {
    return get("strandline.replay.broker", "false").equals("true");
  }

  /** Whether it keeps anything in a store at all. */
  boolean tiers() {
    return hasRole("broker") && !get("strandline.tier.enable", "true").equals("false");
  }

  String storeUri() {
    Path beside = logDirectories().get(0).resolve("strandline").resolve("objects");
    return get("strandline.object.store", "file:" + beside);
  }

  /** {@code host:port} where it answers over HTTP; empty if it does not. */
  Optional<String> adminListener() {
    String given = get("strandline.admin.listener", ADMIN);
    return given.equals("off") ? Optional.empty() : Optional.of(given);
  }

  String environment(String variable, String otherwise) {
    return environment.getOrDefault(variable, otherwise);
  }
}

package io.strandline.tests.deploy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.yaml.snakeyaml.Yaml;

/**
 * {@code deploy/compose/compose.yaml}, with the defaults of its variables put in.
 *
 * @param services by name, in the file's order
 */
record ComposeFile(Map<String, Object> all, Map<String, Service> services) {
  static final Path FILE = Distribution.ROOT.resolve("deploy/compose/compose.yaml");
  private static final Pattern VARIABLE = Pattern.compile("\\$\\{[A-Z_]+:-([^}]*)}");
  private static final Pattern LISTENER = Pattern.compile("([A-Z]+)://([^:,]+):([0-9]+)");

  /** A listener as it stands in a list of them. */
  record Listener(String name, String host, int port) {}

  /** One service, its anchors merged. */
  record Service(String name, Map<String, Object> keys) {
    boolean isNode() {
      return environment().containsKey("STRANDLINE_NODE_ID");
    }

    @SuppressWarnings("unchecked")
    Map<String, String> environment() {
      Map<String, String> all = new LinkedHashMap<>();
      ((Map<String, Object>) keys.getOrDefault("environment", Map.of()))
          .forEach((key, value) -> all.put(key, String.valueOf(value)));
      return all;
    }

    /** Port of this machine to port inside. */
    Map<Integer, Integer> ports() {
      Map<Integer, Integer> all = new LinkedHashMap<>();
      for (String port : list("ports")) {
        String[] parts = port.split(":");
        all.put(
            Integer.parseInt(parts[parts.length - 2]), Integer.parseInt(parts[parts.length - 1]));
      }
      return all;
    }

    List<Listener> listeners(String variable) {
      List<Listener> all = new ArrayList<>();
      Matcher matcher = LISTENER.matcher(environment().getOrDefault(variable, ""));
      while (matcher.find()) {
        all.add(
            new Listener(matcher.group(1), matcher.group(2), Integer.parseInt(matcher.group(3))));
      }
      return all;
    }

    List<String> list(String key) {
      return ((List<?>) keys.getOrDefault(key, List.of())).stream().map(String::valueOf).toList();
    }
  }

  @SuppressWarnings("unchecked")
  static ComposeFile read() throws IOException {
    String text =
        VARIABLE
            .matcher(Files.readString(FILE))
            .replaceAll(m -> Matcher.quoteReplacement(m.group(1)));
    Map<String, Object> all = new Yaml().load(text);
    Map<String, Service> services = new LinkedHashMap<>();
    ((Map<String, Map<String, Object>>) all.get("services"))
        .forEach((name, keys) -> services.put(name, new Service(name, keys)));
    return new ComposeFile(all, services);
  }

  List<Service> nodes() {
    return services.values().stream().filter(Service::isNode).toList();
  }
}

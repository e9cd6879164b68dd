package io.strandline.broker.local;

import io.strandline.broker.ConfigError;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What was asked for.
 *
 * @param directory of the data; none for one that is thrown away
 * @param port of the first broker, 0 for free ones
 * @param settings of all nodes, over those that the cluster gives them
 */
public record ClusterOptions(
    int brokers,
    int controllers,
    Optional<Path> directory,
    int port,
    Map<String, String> settings) {
  /** For {@code --help}. */
  public static final String HELP =
      """
      Usage: strandline cluster [--brokers N] [--controllers 1|3] [--dir DIR] [--port PORT]
                                [--set KEY=VALUE]...

      A cluster of several nodes on this machine, to try things out: brokers and controllers in
      processes of their own, one object store in a directory. Prints the bootstrap address and
      runs until Ctrl-C, which stops brokers, then controllers; a second has them wait for nobody.

        --brokers N        how many brokers, 1 to 9 (default 3)
        --controllers N    how many controllers, 1 or 3 (default 1)
        --dir DIR          keeps the data there, and goes on with it; else it is thrown away
        --port PORT        of the first broker, the others follow (default 9092); 0 for free ones
        --set KEY=VALUE    sets a key of all nodes
        -h, --help         this text

      STRANDLINE_HEAP is the heap of each node (default 256m).\
      """;

  private static final int BROKERS_MAX = 9;
  private static final int PORT_MAX = 65_000;

  public ClusterOptions {
    settings = Map.copyOf(settings);
    if (brokers < 1 || brokers > BROKERS_MAX) {
      throw new ConfigError("--brokers wants 1 to " + BROKERS_MAX + ", not " + brokers);
    }
    if (controllers != 1 && controllers != 3) {
      throw new ConfigError("--controllers wants 1 or 3, not " + controllers);
    }
    if (port < 0 || port > PORT_MAX) {
      throw new ConfigError("--port wants 0 to " + PORT_MAX + ", not " + port);
    }
  }

  /**
   * Reads the command line.
   *
   * @throws ConfigError when it can not be understood
   */
  public static ClusterOptions parse(List<String> args) {
    int brokers = 3;
    int controllers = 1;
    int port = 9092;
    Optional<Path> directory = Optional.empty();
    Map<String, String> settings = new LinkedHashMap<>();
    for (Iterator<String> rest = args.iterator(); rest.hasNext(); ) {
      String option = rest.next();
      switch (option) {
        case "--brokers" -> brokers = number(option, rest);
        case "--controllers" -> controllers = number(option, rest);
        case "--port" -> port = number(option, rest);
        case "--dir" -> directory = Optional.of(Path.of(value(option, rest)));
        case "--set" -> {
          String[] set = value(option, rest).split("=", 2);
          if (set.length < 2 || set[0].isEmpty()) {
            throw new ConfigError("--set wants KEY=VALUE");
          }
          settings.put(set[0], set[1]);
        }
        default -> throw new ConfigError("unknown option " + option + ", see --help");
      }
    }
    return new ClusterOptions(brokers, controllers, directory, port, settings);
  }

  private static String value(String option, Iterator<String> rest) {
    if (!rest.hasNext()) {
      throw new ConfigError(option + " wants a value");
    }
    return rest.next();
  }

  private static int number(String option, Iterator<String> rest) {
    String value = value(option, rest);
    try {
      return Integer.parseInt(value);
    } catch (NumberFormatException e) {
      throw new ConfigError(option + " wants a number, not " + value);
    }
  }

  ClusterPlan.Size size() {
    return new ClusterPlan.Size(brokers, controllers);
  }
}

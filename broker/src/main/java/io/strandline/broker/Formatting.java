package io.strandline.broker;

import io.strandline.broker.control.quorum.NodeFormat;
import io.strandline.broker.control.quorum.NodeFormat.Levels;
import io.strandline.broker.control.quorum.NodeFormat.Order;
import io.strandline.broker.control.quorum.NodeFormat.Voters;
import java.io.PrintStream;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;

/**
 * The command {@code strandline format}: makes this node's directories those of a cluster. Exit
 * codes as the server's.
 */
final class Formatting {
  static final String NAME = "format";

  /** The cluster that a server's directories, where they are not formatted yet, become one of. */
  static final String CLUSTER_ID = "STRANDLINE_CLUSTER_ID";

  /** As {@code --initial-controllers}, with {@link #CLUSTER_ID}. */
  static final String INITIAL_CONTROLLERS = "STRANDLINE_INITIAL_CONTROLLERS";

  private static final String HELP =
      """
      Usage: strandline format -t CLUSTER-ID [FILE] [options]

      Makes the directories of a node (log.dirs, metadata.log.dir) those of a cluster. To be run
      once on each node before its first start; a node that is alone does it by itself. The options
      are those of Apache Kafka's kafka-storage format, whose directories serve as well.

        FILE, -c, --config FILE          the server.properties that the node will be started with
        --set KEY=VALUE                  sets one key, over the file and the environment
        -t, --cluster-id ID              of the cluster; strandline random-uuid makes one

      Who votes, on controllers without controller.quorum.voters (KIP-853), one of:
        -s, --standalone                 this node alone
        -I, --initial-controllers LIST   ID@HOST:PORT:DIRECTORY,… the same for all nodes; DIRECTORY
                                         is an id made by strandline random-uuid
        -N, --no-initial-controllers     the quorum is there, this node may join it later

        -r, --release-version VERSION    metadata.version to begin with, 4.0 for example
        -f, --feature NAME=LEVEL         level of a feature to begin with
        -S, --add-scram CREDENTIAL       'SCRAM-SHA-512=[name=alice,password=…]'
        -g, --ignore-formatted           leave directories that are formatted as they are
        -h, --help                       this text\
      """;

  private static final Map<String, String> SHORT =
      Map.of(
          "-c", "--config",
          "-t", "--cluster-id",
          "-s", "--standalone",
          "-I", "--initial-controllers",
          "-N", "--no-initial-controllers",
          "-r", "--release-version",
          "-f", "--feature",
          "-S", "--add-scram",
          "-g", "--ignore-formatted");

  private final List<String> server = new ArrayList<>();
  private final Map<String, Short> features = new TreeMap<>();
  private final List<String> scram = new ArrayList<>();
  private Optional<String> clusterId = Optional.empty();
  private Optional<Voters> voters = Optional.empty();
  private Optional<String> release = Optional.empty();
  private boolean ignoreFormatted;

  private Formatting() {}

  /** Runs the command. */
  static int run(List<String> args, PrintStream out) {
    if (args.contains("-h") || args.contains("--help")) {
      out.println(HELP);
      return 0;
    }
    Formatting asked = new Formatting();
    asked.read(new ArrayDeque<>(args));
    BrokerConfig config = Main.configure(asked.server, System.getenv());
    NodeFormat.Done done = NodeFormat.format(config.control(), asked.order(), Uuid::randomUuid);
    done.untouched().forEach(dir -> out.println(dir + " was formatted before, left as it is"));
    done.formatted()
        .forEach(
            dir ->
                out.println(
                    dir
                        + " is formatted for node "
                        + done.node()
                        + " of cluster "
                        + asked.clusterId.orElse("")));
    return 0;
  }

  /**
   * Formats what is not formatted, for a server in a container, where nobody runs a command before
   * the first start. The voters of a quorum that is to be changed later are named to controllers
   * alone.
   *
   * @param environment in which {@link #CLUSTER_ID} says that it is wanted
   */
  static void beforeStart(BrokerConfig config, Map<String, String> environment) {
    String cluster = environment.get(CLUSTER_ID);
    if (cluster == null || cluster.isEmpty()) {
      return;
    }
    String controllers = environment.getOrDefault(INITIAL_CONTROLLERS, "");
    boolean voter = config.control().controllerListener().isPresent() && !controllers.isEmpty();
    NodeFormat.format(
        config.control(),
        new Order(
            cluster,
            voter ? new Voters.Initial(controllers) : new Voters.Configured(),
            new Levels(Optional.empty(), Map.of()),
            List.of(),
            true),
        Uuid::randomUuid);
  }

  private Order order() {
    String id =
        clusterId.orElseThrow(
            () ->
                new ConfigError(
                    "format wants --cluster-id, the same for all nodes of a cluster;"
                        + " strandline random-uuid makes one"));
    return new Order(
        id,
        voters.orElseGet(Voters.Configured::new),
        new Levels(release, features),
        scram,
        ignoreFormatted);
  }

  private void read(Deque<String> args) {
    while (!args.isEmpty()) {
      String arg = args.pop();
      String option = SHORT.getOrDefault(arg, arg);
      switch (option) {
        case "--cluster-id" -> clusterId = Optional.of(value(option, args));
        case "--standalone" -> votes(new Voters.Standalone());
        case "--initial-controllers" -> votes(new Voters.Initial(value(option, args)));
        case "--no-initial-controllers" -> votes(new Voters.Elsewhere());
        case "--release-version" -> release = Optional.of(value(option, args));
        case "--feature" -> feature(value(option, args));
        case "--add-scram" -> scram.add(value(option, args));
        case "--ignore-formatted" -> ignoreFormatted = true;
        case "--config", "--set" -> {
          server.add(option);
          server.add(value(option, args));
        }
        default -> server.add(arg);
      }
    }
  }

  private static String value(String option, Deque<String> args) {
    if (args.isEmpty()) {
      throw new ConfigError(option + " wants a value");
    }
    return args.pop();
  }

  private void votes(Voters said) {
    if (voters.isPresent()) {
      throw new ConfigError(
          "one of --standalone, --initial-controllers and --no-initial-controllers at most");
    }
    voters = Optional.of(said);
  }

  private void feature(String text) {
    int equals = text.indexOf('=');
    try {
      features.put(text.substring(0, equals), Short.parseShort(text.substring(equals + 1)));
    } catch (IndexOutOfBoundsException | NumberFormatException e) {
      throw new ConfigError("--feature wants NAME=LEVEL, group.version=1 for example, not " + text);
    }
  }
}

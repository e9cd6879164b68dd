package io.strandline.broker;

import io.strandline.broker.control.ControlException;
import io.strandline.broker.guard.identity.TlsEngines;
import io.strandline.broker.local.ClusterOptions;
import io.strandline.broker.local.LocalCluster;
import io.strandline.broker.node.NextSignal;
import io.strandline.broker.observe.LogSetup;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.utils.Exit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The command {@code strandline server}. Exit codes: 0 after an orderly stop, 1 when the node can
 * not start here and now, 2 for wrong usage or configuration, 3 after a fault that made it stop.
 */
public final class Main {
  private static final Logger LOG = LoggerFactory.getLogger(Main.class);
  private static final int CAN_NOT_START = 1;
  private static final int USAGE = 2;
  private static final int FAULT = 3;
  private static final String HELP =
      """
      Usage: strandline server [FILE] [--set KEY=VALUE]...

      Starts a node. FILE is a server.properties of Apache Kafka; without it the node serves
      127.0.0.1:9092 and keeps its data under ./data.

        FILE, --config FILE   configuration file
        --set KEY=VALUE       sets one key, over the file and the environment
        -h, --help            this text

      Every key can also be given in the environment: STRANDLINE_LOG_DIRS sets log.dirs, and
      STRANDLINE_SSL_KEY_PASSWORD_FILE names a file with the value of ssl.key.password. With
      STRANDLINE_CLUSTER_ID directories that are not formatted are: 'strandline format' says how.
      All keys: docs/configuration.md\
      """;

  private Main() {}

  /** Runs until SIGTERM. */
  public static void main(String[] args) {
    TlsEngines.refuseRenegotiation();
    int code;
    try {
      code = run(List.of(args), System.out, System.err);
    } catch (Throwable e) { // threads that go on would keep a process alive that does nothing
      LOG.atError().setCause(e).log("ended");
      System.err.println("strandline: " + e.toString().lines().findFirst().orElse(""));
      code = FAULT;
    }
    if (code != 0) {
      System.exit(code);
    }
  }

  private static int run(List<String> args, PrintStream out, PrintStream err) {
    if (!args.isEmpty() && args.get(0).equals(Restoring.NAME)) {
      return command(() -> Restoring.run(args.subList(1, args.size()), out, err), err);
    }
    if (!args.isEmpty() && args.get(0).equals(Formatting.NAME)) {
      return command(() -> Formatting.run(args.subList(1, args.size()), out), err);
    }
    if (!args.isEmpty() && args.get(0).equals(Rehearsing.NAME)) {
      return command(() -> Rehearsing.run(args.subList(1, args.size())), err);
    }
    if (!args.isEmpty() && args.get(0).equals(LocalCluster.NAME)) {
      return command(() -> cluster(args.subList(1, args.size()), out, err), err);
    }
    if (args.equals(List.of("random-uuid"))) {
      out.println(Uuid.randomUuid());
      return 0;
    }
    if (args.contains("-h") || args.contains("--help")) {
      out.println(HELP);
      return 0;
    }
    BrokerConfig config;
    try {
      config = configure(args, System.getenv());
    } catch (ConfigError e) {
      String.valueOf(e.getMessage()).lines().forEach(line -> err.println("strandline: " + line));
      return USAGE;
    }
    LogSetup.apply(
        LogSetup.Format.valueOf(config.text(ConfigKeys.LOG_FORMAT).toUpperCase(Locale.ROOT)),
        config.text(ConfigKeys.LOG_LEVEL));
    return serve(config, out, err);
  }

  /** Runs until Ctrl-C or until all nodes have ended. */
  private static int cluster(List<String> args, PrintStream out, PrintStream err) {
    if (args.contains("-h") || args.contains("--help")) {
      out.println(ClusterOptions.HELP);
      return 0;
    }
    LocalCluster cluster =
        new LocalCluster(ClusterOptions.parse(args), Main.class.getName(), Uuid::randomUuid, out);
    AtomicInteger code = new AtomicInteger();
    Runtime.getRuntime()
        .addShutdownHook(
            new Thread(
                () -> {
                  NextSignal.then(cluster::hurry);
                  cluster.close();
                  Runtime.getRuntime().halt(code.get());
                },
                "stop"));
    try {
      cluster.start();
      code.set(cluster.awaitEnd() ? CAN_NOT_START : 0);
    } catch (IOException | InterruptedException e) {
      err.println("strandline: " + e.getMessage());
      code.set(CAN_NOT_START);
    }
    return code.get();
  }

  /** A node of a local cluster ends with the process that started it, and so do all others. */
  private static void endWithParent(RunningNode node) {
    String parent = System.getenv("STRANDLINE_PARENT");
    if (parent != null) {
      CompletableFuture<?> ended =
          ProcessHandle.of(Long.parseLong(parent))
              .<CompletableFuture<?>>map(ProcessHandle::onExit)
              .orElseGet(() -> CompletableFuture.completedFuture(null));
      var unused =
          ended.thenRun(
              () -> {
                node.hurry(); // there is nobody left to hand leadership over to
                node.fatal().complete("the process that started this node has ended");
              });
    }
  }

  /** Runs what is no server. */
  private static int command(IntSupplier command, PrintStream err) {
    LogSetup.apply(LogSetup.Format.CONSOLE, "WARN");
    try {
      return command.getAsInt();
    } catch (ConfigError e) {
      String.valueOf(e.getMessage()).lines().forEach(line -> err.println("strandline: " + line));
      return USAGE;
    } catch (RuntimeException e) {
      LOG.atDebug().setCause(e).log("could not do it");
      err.println("strandline: " + Restoring.reason(e));
      return CAN_NOT_START;
    }
  }

  /** Reads the command line; the environment and the file it names come under it. */
  static BrokerConfig configure(List<String> args, Map<String, String> environment) {
    Map<String, String> set = new LinkedHashMap<>();
    Optional<Path> file = Optional.empty();
    for (int i = 0; i < args.size(); i++) {
      String arg = args.get(i);
      boolean takesValue = arg.equals("--set") || arg.equals("--config");
      if (takesValue && i + 1 == args.size()) {
        throw new ConfigError(arg + " wants a value");
      }
      String value = takesValue ? args.get(++i) : arg;
      if (arg.equals("--set")) {
        int equals = value.indexOf('=');
        if (equals < 1) {
          throw new ConfigError("--set wants KEY=VALUE, not " + value);
        }
        set.put(value.substring(0, equals), value.substring(equals + 1));
      } else if (arg.startsWith("-") && !takesValue) {
        throw new ConfigError("unknown option " + arg + ", see --help");
      } else if (file.isPresent()) {
        throw new ConfigError("one configuration file at most, not also " + value);
      } else {
        file = Optional.of(Path.of(value));
      }
    }
    return BrokerConfig.load(file, environment, set);
  }

  static int serve(BrokerConfig config, PrintStream out, PrintStream err) {
    RunningNode node;
    try {
      Formatting.beforeStart(config, System.getenv());
      node = config.control().broker() ? Strandline.start(config) : ControllerNode.start(config);
    } catch (StartException | ControlException e) {
      LOG.atDebug().setCause(e).log("could not start");
      err.println("strandline: " + e.getMessage());
      return CAN_NOT_START;
    } catch (Throwable e) { // a checked one of Scala's, or a thread that can not be made
      LOG.atError().setCause(e).log("could not start");
      err.println("strandline: could not start: " + e.toString().lines().findFirst().orElse(""));
      return CAN_NOT_START;
    }
    announceExits(node);
    endWithParent(node);
    AtomicInteger code = new AtomicInteger();
    Runtime.getRuntime().addShutdownHook(new Thread(() -> stop(node, code), "stop"));
    out.println("Strandline is ready: " + node.describe());
    out.flush();
    String reason = node.fatal().join();
    err.println("strandline: stopping: " + reason);
    code.set(FAULT);
    return FAULT;
  }

  /** Parts of Kafka's that would end the process end it in order, and say so. */
  private static void announceExits(RunningNode node) {
    Exit.Procedure stop =
        (status, message) ->
            node.fatal().complete("a part of Kafka's wants the process to end: " + message);
    Exit.setExitProcedure(stop);
    Exit.setHaltProcedure(stop);
  }

  /**
   * Runs at SIGTERM; a JVM that ends by a signal would tell 143 though all went well. A further
   * signal has it wait for nobody.
   */
  private static void stop(RunningNode node, AtomicInteger code) {
    try {
      NextSignal.then(node::hurry);
      node.close();
    } finally {
      Runtime.getRuntime().halt(code.get());
    }
  }
}

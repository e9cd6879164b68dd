package io.strandline.broker;

import io.micrometer.core.instrument.simple.SimpleMeterRegistry;
import io.strandline.broker.control.quorum.NodeFormat;
import io.strandline.broker.restore.ClusterRestore;
import io.strandline.broker.restore.RestoreReport;
import io.strandline.tiering.manifest.ManifestConfig;
import io.strandline.tiering.manifest.StoreManifests;
import io.strandline.tiering.store.ObjectStore;
import io.strandline.tiering.store.StoreException;
import io.strandline.tiering.store.open.StoreRuntime;
import io.strandline.tiering.store.open.Stores;
import java.io.PrintStream;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;

/**
 * The command {@code strandline tier restore cluster}: formats this node's directories with the
 * metadata of a cluster that is lost, taken from its object store. Exit codes as the server's.
 */
final class Restoring {
  static final String NAME = "restore-cluster";
  private static final String HELP =
      """
      Usage: strandline tier restore cluster --store URI --dir DIRS [--node-id N] [--dry-run]
                                             [--config FILE] [--set KEY=VALUE]...

      Builds a cluster that lost all its disks again from its object store alone: formats the
      directories of one new node, which then is all of the cluster. Start it with the same
      settings as a server. Says up to which offset each partition comes back, and which
      transactions were cut.

        --store URI        the cluster's store (strandline.object.store)
        --dir DIRS         new directories for the node (log.dirs)
        --node-id N        its id (node.id, default 1); need not be one of the lost cluster's
        --dry-run          only says what would come back; changes nothing anywhere
        --config FILE      the server.properties that the node will be started with
        --set KEY=VALUE    sets one key, over the file and the environment
        -h, --help         this text

      Before: be sure that no node of the lost cluster runs. One that does is fenced off from the
      store by this, and says so, but may still answer clients.\
      """;

  private Restoring() {}

  /** Runs the command. */
  static int run(List<String> args, PrintStream out, PrintStream err) {
    if (args.contains("-h") || args.contains("--help")) {
      out.println(HELP);
      return 0;
    }
    boolean dry = args.contains("--dry-run");
    BrokerConfig config = Main.configure(translate(args), System.getenv());
    try (Threads threads = new Threads();
        ObjectStore store = store(config, threads)) {
      restore(config, clusterRestore(store, threads, err), dry, out);
      return 0;
    }
  }

  /** Options of this command as settings of a server. */
  private static List<String> translate(List<String> args) {
    Map<String, String> keys =
        Map.of("--store", ConfigKeys.OBJECT_STORE, "--dir", "log.dirs", "--node-id", "node.id");
    List<String> server = new ArrayList<>();
    for (Iterator<String> i = args.iterator(); i.hasNext(); ) {
      String arg = i.next();
      String key = keys.get(arg);
      if (key != null) {
        if (!i.hasNext()) {
          throw new ConfigError(arg + " wants a value");
        }
        server.add("--set");
        server.add(key + "=" + i.next());
      } else if (!arg.equals("--dry-run")) {
        server.add(arg);
      }
    }
    return server;
  }

  private static ObjectStore store(BrokerConfig config, Threads threads) {
    return Stores.open(
        config.objectStore(),
        TierBindings.store(config),
        new StoreRuntime(
            new StoreRuntime.Time(InstantSource.system(), System::nanoTime),
            new SecureRandom(),
            threads.store,
            threads.timer,
            new SimpleMeterRegistry()));
  }

  private static ClusterRestore clusterRestore(
      ObjectStore store, Threads threads, PrintStream err) {
    return new ClusterRestore(
        store,
        StoreManifests.open(
            store,
            ManifestConfig.defaults(),
            new StoreManifests.Environment(
                InstantSource.system(),
                new SecureRandom(),
                threads.manifests,
                new SimpleMeterRegistry())),
        warning -> err.println("strandline: " + warning));
  }

  private static void restore(
      BrokerConfig config, ClusterRestore restore, boolean dry, PrintStream out) {
    if (dry) {
      RestoreReport.write(restore.look(), out::println);
      out.println("nothing was changed");
      return;
    }
    int node = NodeFormat.requireNew(config.control());
    ClusterRestore.Found found = restore.take();
    NodeFormat.restore(config.control(), ClusterRestore.plan(found, node), Uuid::randomUuid);
    RestoreReport.write(found, out::println);
    out.println(
        "restored into " + config.control().logDirectories() + " for node " + node + ": start it");
  }

  /** What went wrong, for one line. */
  static String reason(RuntimeException failure) {
    return String.valueOf(
        failure instanceof java.util.concurrent.CompletionException
            ? StoreException.of(failure).getMessage()
            : failure.getMessage());
  }
}

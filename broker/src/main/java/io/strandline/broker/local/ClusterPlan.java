package io.strandline.broker.local;

import io.strandline.broker.ConfigKeys;
import io.strandline.broker.control.ControlConfig;
import java.io.IOException;
import java.io.Reader;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Properties;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * Which nodes a local cluster has and where they listen; kept in {@code cluster.properties} of its
 * directory, so that it comes back as it was.
 *
 * @param directory of everything: {@code node-ID}, {@code objects}
 * @param brokers with ids from 1
 * @param controllers with ids from 101
 */
record ClusterPlan(
    Path directory, String clusterId, List<PlannedNode> brokers, List<PlannedNode> controllers) {
  private static final String FILE = "cluster.properties";
  private static final int FIRST_CONTROLLER = 101;
  private static final String HOST = "127.0.0.1";

  /**
   * One node.
   *
   * @param adminPort 0 for none
   * @param metadata id of a controller's metadata directory
   */
  record PlannedNode(int id, int port, int adminPort, String metadata) {
    String address() {
      return HOST + ":" + port;
    }
  }

  /**
   * The plan that is kept in the directory, or a new one, which is kept there.
   *
   * @param size how many there are to be
   * @param firstPort of the first broker, the others follow; 0 for free ones
   * @throws IOException when the directory can not be used, or holds a cluster of another size
   */
  static ClusterPlan of(Path directory, Size size, int firstPort, Supplier<Uuid> ids)
      throws IOException {
    Path file = directory.resolve(FILE);
    if (Files.exists(file)) {
      ClusterPlan kept = read(directory, file);
      if (kept.brokers.size() != size.brokers || kept.controllers.size() != size.controllers) {
        throw new IOException(
            directory
                + " holds a cluster of "
                + kept.brokers.size()
                + " brokers and "
                + kept.controllers.size()
                + " controllers: start it with as many, or give another directory");
      }
      return kept;
    }
    Files.createDirectories(directory);
    ClusterPlan fresh = fresh(directory.toAbsolutePath(), size, firstPort, ids);
    fresh.write(file);
    return fresh;
  }

  /** How many nodes. */
  record Size(int brokers, int controllers) {}

  private static ClusterPlan fresh(Path directory, Size size, int firstPort, Supplier<Uuid> ids)
      throws IOException {
    List<ServerSocket> held = new ArrayList<>();
    try {
      List<PlannedNode> brokers = new ArrayList<>();
      for (int i = 0; i < size.brokers; i++) {
        int port = firstPort == 0 ? free(held) : firstPort + i;
        brokers.add(new PlannedNode(i + 1, port, free(held), ""));
      }
      List<PlannedNode> controllers = new ArrayList<>();
      for (int i = 0; i < size.controllers; i++) {
        String metadata = ids.get().toString();
        controllers.add(new PlannedNode(FIRST_CONTROLLER + i, free(held), 0, metadata));
      }
      return new ClusterPlan(directory, ids.get().toString(), brokers, controllers);
    } finally {
      for (ServerSocket socket : held) {
        socket.close();
      }
    }
  }

  /** Held until all are chosen, so that none is given twice. */
  private static int free(List<ServerSocket> held) throws IOException {
    ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress());
    held.add(socket);
    return socket.getLocalPort();
  }

  private static ClusterPlan read(Path directory, Path file) throws IOException {
    Properties kept = new Properties();
    try (Reader reader = Files.newBufferedReader(file)) {
      kept.load(reader);
    }
    return new ClusterPlan(
        directory.toAbsolutePath(),
        kept.getProperty("cluster.id", ""),
        nodes(kept.getProperty("brokers", "")),
        nodes(kept.getProperty("controllers", "")));
  }

  private static List<PlannedNode> nodes(String text) throws IOException {
    List<PlannedNode> nodes = new ArrayList<>();
    try {
      for (String node : text.split(" ")) {
        String[] parts = node.split("/", -1);
        nodes.add(
            new PlannedNode(
                Integer.parseInt(parts[0]),
                Integer.parseInt(parts[1]),
                Integer.parseInt(parts[2]),
                parts[3]));
      }
    } catch (RuntimeException e) {
      throw new IOException(FILE + " is damaged: " + text, e);
    }
    return nodes;
  }

  private void write(Path file) throws IOException {
    Properties kept = new Properties();
    kept.setProperty("cluster.id", clusterId);
    kept.setProperty("brokers", text(brokers));
    kept.setProperty("controllers", text(controllers));
    try (Writer writer = Files.newBufferedWriter(file)) {
      kept.store(writer, "A local cluster of Strandline: nodes as id/port/admin port/metadata id");
    }
  }

  private static String text(List<PlannedNode> nodes) {
    return nodes.stream()
        .map(n -> n.id + "/" + n.port + "/" + n.adminPort + "/" + n.metadata)
        .collect(Collectors.joining(" "));
  }

  /** For clients. */
  String bootstrap() {
    return brokers.stream().map(PlannedNode::address).collect(Collectors.joining(","));
  }

  /** As {@code --initial-controllers} takes them. */
  String voters() {
    return controllers.stream()
        .map(node -> node.id + "@" + node.address() + ":" + node.metadata)
        .collect(Collectors.joining(","));
  }

  Path directoryOf(PlannedNode node) {
    return directory.resolve("node-" + node.id);
  }

  /** Settings of a broker. */
  Map<String, String> broker(PlannedNode node) {
    int replicas = Math.min(3, brokers.size());
    int inSync = Math.max(1, replicas - 1);
    Map<String, String> all = common(node);
    all.put(ControlConfig.ROLES, "broker");
    all.put("listeners", "PLAINTEXT://" + node.address());
    all.put(ConfigKeys.ADMIN_LISTENER, HOST + ":" + node.adminPort);
    all.put(ConfigKeys.OBJECT_STORE, "file:" + directory.resolve("objects"));
    for (String topic :
        List.of("offsets.topic", "transaction.state.log", "share.coordinator.state.topic")) {
      all.put(topic + ".replication.factor", Integer.toString(replicas));
    }
    for (String topic : List.of("transaction.state.log", "share.coordinator.state.topic")) {
      all.put(topic + ".min.isr", Integer.toString(inSync));
    }
    all.put("default.replication.factor", Integer.toString(replicas));
    return all;
  }

  /** Settings of a controller. */
  Map<String, String> controller(PlannedNode node) {
    int replicas = Math.min(3, brokers.size());
    Map<String, String> all = common(node);
    all.put(ControlConfig.ROLES, "controller");
    all.put("listeners", "CONTROLLER://" + node.address());
    all.put(ConfigKeys.ADMIN_LISTENER, "off");
    all.put("default.replication.factor", Integer.toString(replicas));
    all.put("min.insync.replicas", Integer.toString(Math.max(1, replicas - 1)));
    return all;
  }

  private Map<String, String> common(PlannedNode node) {
    Map<String, String> all = new LinkedHashMap<>();
    all.put("node.id", Integer.toString(node.id));
    all.put("controller.listener.names", "CONTROLLER");
    all.put("listener.security.protocol.map", "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    all.put(
        ControlConfig.BOOTSTRAP,
        controllers.stream().map(PlannedNode::address).collect(Collectors.joining(",")));
    all.put("log.dirs", directoryOf(node).resolve("data").toString());
    return all;
  }
}

package io.strandline.tests.cluster;

import io.strandline.broker.control.ControlConfig;
import io.strandline.broker.control.quorum.NodeFormat;
import io.strandline.broker.control.quorum.NodeFormat.Voters;
import io.strandline.tests.cluster.wires.Plane;
import io.strandline.tests.cluster.wires.Wires;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Duration;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.common.Uuid;
import org.jspecify.annotations.Nullable;

/**
 * A cluster of real processes on the loopback address, one object store for all. Nodes are stopped,
 * killed, paused and started again one by one by {@link #node}; addresses and data stay.
 *
 * <p>What the nodes said is kept under {@code target/cluster} after the test, by its name.
 */
public final class TestCluster implements AutoCloseable {
  private static final Path KEPT = Path.of("target", "cluster");

  private final Path dir;
  private final Identity identity;
  private final Map<Integer, NodeSpec> specs;
  private final Map<Integer, BrokerProcess> nodes = new TreeMap<>();
  private final @Nullable Wires wires;
  private @Nullable Admin admin;
  private final Path kept = KEPT.resolve(testMethod());

  /**
   * What all directories are formatted with.
   *
   * @param users credentials in the first records of the metadata
   */
  record Identity(String clusterId, List<String> users) {}

  /**
   * @param wires null where nodes find each other without
   */
  TestCluster(Path dir, Identity identity, Map<Integer, NodeSpec> specs, @Nullable Wires wires) {
    this.dir = dir;
    this.identity = identity;
    this.specs = specs;
    this.wires = wires;
  }

  /** The network between the nodes, and from clients to them, of {@link Blueprint#wired}. */
  public Wires wires() {
    if (wires == null) {
      throw new IllegalStateException("not wired");
    }
    return wires;
  }

  void startAll(Set<Integer> later) throws IOException {
    for (NodeSpec spec : specs.values()) {
      if (!later.contains(spec.id())) {
        format(spec);
        launch(spec);
      }
    }
    for (BrokerProcess node : nodes.values()) {
      node.awaitReady();
    }
  }

  /** A node that was to come later starts with empty directories and serves. */
  public void join(int id) throws IOException {
    NodeSpec spec = specs.get(id);
    if (spec == null || nodes.containsKey(id)) {
      throw new IllegalArgumentException("no node to come " + id);
    }
    format(spec, new Voters.Elsewhere());
    launch(spec);
    node(id).awaitReady();
  }

  private void launch(NodeSpec spec) throws IOException {
    nodes.put(
        spec.id(),
        BrokerProcess.launch(
            directory(spec.id()), spec.port(), spec.settings(), spec.launch().environment()));
  }

  public String clusterId() {
    return identity.clusterId();
  }

  /** A node's process, running or not. */
  public BrokerProcess node(int id) {
    BrokerProcess node = nodes.get(id);
    if (node == null) {
      throw new IllegalArgumentException("no node " + id);
    }
    return node;
  }

  /** All that are brokers and have been started, by id. */
  public List<Integer> brokers() {
    return specs.values().stream()
        .filter(s -> s.role().broker() && nodes.containsKey(s.id()))
        .map(NodeSpec::id)
        .toList();
  }

  /** All that are controllers, by id. */
  public List<Integer> controllers() {
    return specs.values().stream().filter(s -> s.role().controller()).map(NodeSpec::id).toList();
  }

  /** All brokers, for clients. */
  public String bootstrap() {
    return brokers().stream().map(this::bootstrap).collect(Collectors.joining(","));
  }

  /** All replay brokers, for clients. */
  public String replayBootstrap() {
    return specs.values().stream()
        .filter(spec -> spec.role() == NodeRole.REPLAY)
        .map(spec -> bootstrap(spec.id()))
        .collect(Collectors.joining(","));
  }

  /** One broker, for clients. */
  public String bootstrap(int id) {
    BrokerProcess node = node(id);
    return wires == null
        ? node.bootstrap()
        : Wires.advertised(id, Plane.PLAINTEXT) + node.bootstrap().replaceFirst(".*:", ":");
  }

  /** Where the controllers listen. */
  public String controllerBootstrap() {
    return controllers().stream()
        .map(id -> listener(id, "CONTROLLER"))
        .collect(Collectors.joining(","));
  }

  /** Where a node has one of its listeners, without wires. */
  public String listener(int id, String name) {
    NodeSpec spec = specs.get(id);
    return Stream.of(spec == null ? "" : spec.settings().getOrDefault("listeners", ""))
        .flatMap(all -> Stream.of(all.split(",")))
        .filter(listener -> listener.startsWith(name + "://"))
        .map(
            listener -> listener.substring((name + "://").length()).replace("0.0.0.0", "127.0.0.1"))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("no " + name + " at " + id));
  }

  /** An admin client of all brokers, one for all who ask; closed with the cluster. */
  public synchronized Admin admin() {
    if (admin == null) {
      admin = Admin.create(Map.of("bootstrap.servers", bootstrap()));
    }
    return admin;
  }

  /** Where a node keeps what it has. */
  public Path directory(int id) {
    return dir.resolve("node-" + id);
  }

  /** The object store of all. */
  public Path objects() {
    return dir.resolve("objects");
  }

  /**
   * The disk of a stopped node was lost: its directories are empty and formatted for this cluster.
   * A voter comes back as an observer of the quorum.
   */
  public void wipe(int id) throws IOException {
    deleteTree(directory(id).resolve("data"));
    NodeSpec spec = specs.get(id);
    if (spec == null) {
      throw new IllegalArgumentException("no node " + id);
    }
    format(spec, new Voters.Elsewhere());
  }

  private void format(NodeSpec spec) {
    String voters =
        specs.values().stream()
            .map(NodeSpec::voter)
            .filter(voter -> !voter.isEmpty())
            .collect(Collectors.joining(","));
    format(spec, spec.voter().isEmpty() ? new Voters.Elsewhere() : new Voters.Initial(voters));
  }

  private void format(NodeSpec spec, Voters voters) {
    NodeFormat.Order order =
        new NodeFormat.Order(
            identity.clusterId(),
            voters,
            new NodeFormat.Levels(Optional.empty(), Map.of()),
            spec.role().controller() ? identity.users() : List.of(),
            false);
    NodeFormat.Done done =
        NodeFormat.format(
            new ControlConfig(kafka(spec), spec.role() == NodeRole.REPLAY),
            order,
            Uuid::randomUuid);
    if (done.formatted().isEmpty()) {
      throw new IllegalStateException("nothing was formatted for node " + spec.id());
    }
  }

  /** Its settings but ours. */
  private static Map<String, String> kafka(NodeSpec spec) {
    return spec.settings().entrySet().stream()
        .filter(setting -> !setting.getKey().startsWith("strandline."))
        .collect(Collectors.toMap(Map.Entry::getKey, Map.Entry::getValue));
  }

  /** Kills what runs and keeps what the nodes said. */
  @Override
  public synchronized void close() throws IOException {
    if (admin != null) {
      admin.close(Duration.ZERO);
    }
    for (var node : nodes.entrySet()) {
      node.getValue().close();
      Path out = directory(node.getKey()).resolve("broker.out");
      if (Files.exists(out)) {
        Files.createDirectories(kept);
        Files.copy(
            out,
            kept.resolve("node-" + node.getKey() + ".out"),
            StandardCopyOption.REPLACE_EXISTING);
      }
    }
    if (wires != null) {
      wires.close();
    }
  }

  private static String testMethod() {
    return StackWalker.getInstance()
        .walk(
            frames ->
                frames
                    .filter(frame -> frame.getClassName().endsWith("Test"))
                    .map(
                        frame ->
                            frame.getClassName().replaceAll(".*\\.", "")
                                + "."
                                + frame.getMethodName())
                    .findFirst()
                    .orElse("unnamed"));
  }

  private static void deleteTree(Path root) throws IOException {
    try (Stream<Path> all = Files.walk(root)) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }
}

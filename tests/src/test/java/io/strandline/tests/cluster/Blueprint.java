package io.strandline.tests.cluster;

import io.strandline.tests.cluster.wires.Plane;
import io.strandline.tests.cluster.wires.Wires;
import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.apache.kafka.common.Uuid;

/**
 * A cluster that is to be: which nodes with which roles, what is set for all and for each. Session
 * time-outs are short and internal topics have few partitions unless a test says otherwise; all
 * else is what a node does by itself.
 */
public final class Blueprint {
  private static final Map<String, String> QUICK =
      Map.of(
          "broker.session.timeout.ms", "3000",
          "broker.heartbeat.interval.ms", "500",
          "offsets.topic.num.partitions", "4",
          "transaction.state.log.num.partitions", "4",
          "share.coordinator.state.topic.num.partitions", "4",
          "group.initial.rebalance.delay.ms", "0");

  private final Path dir;
  private final Map<Integer, NodeRole> roles = new TreeMap<>();
  private final Map<String, String> common = new LinkedHashMap<>(QUICK);
  private final Map<Integer, Map<String, String>> own = new TreeMap<>();
  private final Set<Integer> observers = new TreeSet<>();
  private final Set<Integer> later = new TreeSet<>();
  private final Map<Integer, Map<String, String>> environments = new TreeMap<>();
  private final List<String> users = new ArrayList<>();
  private boolean staticVoters;
  private boolean apart;
  private boolean wired;

  /**
   * @param dir of all that the cluster keeps: {@code node-ID/data}, {@code node-ID/broker.out},
   *     {@code objects}
   */
  public Blueprint(Path dir) {
    this.dir = dir;
    common.put("strandline.object.store", "file:" + dir.resolve("objects"));
  }

  /** Nodes with this role. */
  public Blueprint with(NodeRole role, int... ids) {
    for (int id : ids) {
      roles.put(id, role);
    }
    return this;
  }

  /** A broker that is started by {@link TestCluster#join}. */
  public Blueprint later(int id) {
    later.add(id);
    return with(NodeRole.BROKER, id);
  }

  /** For every node. */
  public Blueprint set(String key, String value) {
    common.put(key, value);
    return this;
  }

  /** For every node. */
  public Blueprint set(Map<String, String> settings) {
    common.putAll(settings);
    return this;
  }

  /** For one node. */
  public Blueprint set(int id, String key, String value) {
    own.computeIfAbsent(id, any -> new LinkedHashMap<>()).put(key, value);
    return this;
  }

  /** How many replicas topics have that nobody chose it for, the internal ones included. */
  public Blueprint replicas(int count, int minInSync) {
    for (String topic : new String[] {"offsets.topic", "transaction.state.log"}) {
      common.put(topic + ".replication.factor", Integer.toString(count));
    }
    common.put("transaction.state.log.min.isr", Integer.toString(minInSync));
    common.put("share.coordinator.state.topic.replication.factor", Integer.toString(count));
    common.put("share.coordinator.state.topic.min.isr", Integer.toString(minInSync));
    common.put("default.replication.factor", Integer.toString(count));
    common.put("min.insync.replicas", Integer.toString(minInSync));
    return this;
  }

  /** The voters stand in {@code controller.quorum.voters} instead of the metadata (KIP-853). */
  public Blueprint withStaticVoters() {
    staticVoters = true;
    return this;
  }

  /** A controller that does not vote until it is made a voter. */
  public Blueprint withObserver(int id) {
    observers.add(id);
    return with(NodeRole.CONTROLLER, id);
  }

  /**
   * Nodes reach each other, and clients them, by {@link TestCluster#wires}. For brokers and
   * controllers, no replay brokers.
   */
  public Blueprint wired() {
    wired = true;
    return apart();
  }

  /** Brokers speak to each other by a listener of their own, {@code BROKERS}. */
  public Blueprint apart() {
    apart = true;
    return this;
  }

  /**
   * Who is there before anybody could have been made, in the controllers' first records.
   *
   * @param credentials {@code SCRAM-SHA-512=[name=…,password=…]}
   */
  public Blueprint user(String credentials) {
    users.add(credentials);
    return this;
  }

  /** For the process of one node. */
  public Blueprint environment(int id, String name, String value) {
    environments.computeIfAbsent(id, any -> new LinkedHashMap<>()).put(name, value);
    return this;
  }

  /** Formats the directories of all nodes, starts them at once, and waits until all serve. */
  public TestCluster start() throws IOException {
    Map<Integer, Map<Plane, Integer>> ports = ports();
    Map<Integer, NodeSpec> specs = new TreeMap<>();
    for (var node : roles.entrySet()) {
      specs.put(node.getKey(), spec(node.getKey(), node.getValue(), ports));
    }
    TestCluster cluster =
        new TestCluster(
            dir,
            new TestCluster.Identity(Uuid.randomUuid().toString(), users),
            specs,
            wired ? new Wires(ports) : null);
    try {
      cluster.startAll(later);
      return cluster;
    } catch (IOException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private Map<Integer, Map<Plane, Integer>> ports() throws IOException {
    Map<Integer, Map<Plane, Integer>> ports = new TreeMap<>();
    for (var node : roles.entrySet()) {
      Map<Plane, Integer> some = new EnumMap<>(Plane.class);
      some.put(Plane.PLAINTEXT, Ports.free());
      some.put(Plane.BROKERS, Ports.free());
      if (node.getValue().controller()) {
        some.put(Plane.CONTROLLER, Ports.free());
      }
      ports.put(node.getKey(), some);
    }
    return ports;
  }

  /** Where there are replay brokers, the others have their listener too. */
  private static void replays(NodeRole role, Map<String, String> settings) throws IOException {
    settings.putIfAbsent(
        "listener.security.protocol.map",
        "REPLAY:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    if (role == NodeRole.REPLAY) {
      settings.put("strandline.replay.broker", "true");
    } else if (role.broker()) {
      settings.put("strandline.replay.listener", "REPLAY");
      settings.merge(
          "listeners", "REPLAY://127.0.0.1:" + Ports.free(), (all, one) -> all + "," + one);
    }
  }

  private NodeSpec spec(int id, NodeRole role, Map<Integer, Map<Plane, Integer>> ports)
      throws IOException {
    Map<String, String> settings = new LinkedHashMap<>(common);
    settings.put("process.roles", role.roles());
    settings.put("node.id", Integer.toString(id));
    settings.put("controller.listener.names", "CONTROLLER");
    Map<Integer, String> controllers = new TreeMap<>();
    ports.forEach(
        (node, theirs) -> {
          Integer port = theirs.get(Plane.CONTROLLER);
          if (port != null) {
            controllers.put(node, (wired ? Wires.name(node) : "127.0.0.1") + ":" + port);
          }
        });
    if (staticVoters) {
      settings.put(
          "controller.quorum.voters",
          controllers.entrySet().stream()
              .map(voter -> voter.getKey() + "@" + voter.getValue())
              .collect(Collectors.joining(",")));
    } else {
      settings.put("controller.quorum.bootstrap.servers", String.join(",", controllers.values()));
    }
    Map<Plane, Integer> mine = ports.getOrDefault(id, Map.of());
    listeners(role, mine, settings);
    Map<String, String> environment = new LinkedHashMap<>(environments.getOrDefault(id, Map.of()));
    if (apart) {
      settings.put("inter.broker.listener.name", "BROKERS");
      settings.putIfAbsent(
          "listener.security.protocol.map",
          "BROKERS:PLAINTEXT,PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT");
    }
    if (wired) {
      wire(id, role, mine, settings);
      Path hosts = Wires.hosts(dir.resolve("node-" + id).resolve("hosts"), id, roles.keySet());
      environment.put("JDK_JAVA_OPTIONS", "-Djdk.net.hosts.file=" + hosts);
    }
    if (roles.containsValue(NodeRole.REPLAY)) {
      replays(role, settings);
    }
    settings.put("log.dirs", dir.resolve("node-" + id).resolve("data").toString());
    settings.putAll(own.getOrDefault(id, Map.of()));
    String voter =
        role.controller() && !staticVoters && !observers.contains(id)
            ? id + "@" + controllers.get(id) + ":" + Uuid.randomUuid()
            : "";
    int port = mine.getOrDefault(Plane.PLAINTEXT, 0);
    return new NodeSpec(id, role, port, voter, new NodeSpec.Launch(settings, environment));
  }

  /** Controllers listen on all addresses and tell one, as those of the deployment's modules do. */
  private void listeners(NodeRole role, Map<Plane, Integer> ports, Map<String, String> settings) {
    String clients = "PLAINTEXT://127.0.0.1:" + ports.get(Plane.PLAINTEXT);
    String quorum = "CONTROLLER://127.0.0.1:" + ports.get(Plane.CONTROLLER);
    settings.put(
        "listeners",
        switch (role) {
          case BROKER -> clients;
          case CONTROLLER -> wired ? quorum : quorum.replace("127.0.0.1", "0.0.0.0");
          case COMBINED -> clients + "," + quorum;
          case REPLAY -> clients.replace("PLAINTEXT:", "REPLAY:");
        });
    if (role == NodeRole.CONTROLLER) {
      settings.put("advertised.listeners", quorum);
    }
    if (apart && role.broker()) {
      settings.merge(
          "listeners",
          "BROKERS://127.0.0.1:" + ports.get(Plane.BROKERS),
          (all, one) -> all + "," + one);
    }
  }

  /** Every listener is told by what the others have for it. */
  private static void wire(
      int id, NodeRole role, Map<Plane, Integer> ports, Map<String, String> settings) {
    settings.put(
        "advertised.listeners",
        ports.entrySet().stream()
            .filter(own -> role.broker() || own.getKey() == Plane.CONTROLLER)
            .map(
                own ->
                    own.getKey()
                        + "://"
                        + Wires.advertised(id, own.getKey())
                        + ":"
                        + own.getValue())
            .collect(Collectors.joining(",")));
  }
}

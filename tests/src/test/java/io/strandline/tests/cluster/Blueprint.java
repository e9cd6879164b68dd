package io.strandline.tests.cluster;

import io.strandline.tests.process.Ports;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
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
  private boolean staticVoters;

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

  /** Formats the directories of all nodes, starts them at once, and waits until all serve. */
  public TestCluster start() throws IOException {
    TestCluster cluster = new TestCluster(dir, Uuid.randomUuid().toString(), specs());
    try {
      cluster.startAll(later);
      return cluster;
    } catch (IOException | RuntimeException e) {
      cluster.close();
      throw e;
    }
  }

  private Map<Integer, NodeSpec> specs() throws IOException {
    Map<Integer, Integer> controllers = new TreeMap<>();
    for (var node : roles.entrySet()) {
      if (node.getValue().controller()) {
        controllers.put(node.getKey(), Ports.free());
      }
    }
    Map<Integer, NodeSpec> specs = new TreeMap<>();
    for (var node : roles.entrySet()) {
      specs.put(node.getKey(), spec(node.getKey(), node.getValue(), controllers));
    }
    return specs;
  }

  /** Where there are replay brokers, the others have their listener too. */
  private static void replays(NodeRole role, Map<String, String> settings) throws IOException {
    settings.put(
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

  private NodeSpec spec(int id, NodeRole role, Map<Integer, Integer> controllers)
      throws IOException {
    Map<String, String> settings = new LinkedHashMap<>(common);
    settings.put("process.roles", role.roles());
    settings.put("node.id", Integer.toString(id));
    settings.put("controller.listener.names", "CONTROLLER");
    if (staticVoters) {
      settings.put(
          "controller.quorum.voters",
          controllers.entrySet().stream()
              .map(voter -> voter.getKey() + "@127.0.0.1:" + voter.getValue())
              .collect(Collectors.joining(",")));
    } else {
      settings.put(
          "controller.quorum.bootstrap.servers",
          controllers.values().stream()
              .map(port -> "127.0.0.1:" + port)
              .collect(Collectors.joining(",")));
    }
    int port = Ports.free();
    String clients = "PLAINTEXT://127.0.0.1:" + port;
    String quorum = "CONTROLLER://127.0.0.1:" + controllers.get(id);
    settings.put(
        "listeners",
        switch (role) {
          case BROKER -> clients;
          case CONTROLLER -> quorum;
          case COMBINED -> clients + "," + quorum;
          case REPLAY -> "REPLAY://127.0.0.1:" + port;
        });
    if (roles.containsValue(NodeRole.REPLAY)) {
      replays(role, settings);
    }
    settings.put("log.dirs", dir.resolve("node-" + id).resolve("data").toString());
    settings.putAll(own.getOrDefault(id, Map.of()));
    String voter =
        role.controller() && !staticVoters && !observers.contains(id)
            ? id + "@127.0.0.1:" + controllers.get(id) + ":" + Uuid.randomUuid()
            : "";
    return new NodeSpec(id, role, port, voter, settings);
  }
}

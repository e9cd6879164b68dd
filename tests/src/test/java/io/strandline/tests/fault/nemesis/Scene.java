package io.strandline.tests.fault.nemesis;

import io.strandline.tests.cluster.Blueprint;
import io.strandline.tests.cluster.NodeRole;
import io.strandline.tests.cluster.TestCluster;
import io.strandline.tests.cluster.wires.Wires;
import io.strandline.tests.fault.Waiting;
import io.strandline.tests.process.BrokerProcess;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.ListTopicsOptions;

/**
 * Three nodes that are brokers and controllers, all of whose network, disks and clocks can be
 * disturbed, as far as the machine allows.
 */
final class Scene implements AutoCloseable {
  private static final List<Integer> NODES = List.of(1, 2, 3);
  private static final int DISK_MIB = 600;

  private final Path dir;
  private final Random random;
  private final Map<Integer, SkewedClock> clocks = new HashMap<>();
  private final Map<Integer, SmallDisk> disks = new HashMap<>();
  private final TestCluster cluster;

  Scene(Path dir, Random random) throws IOException, InterruptedException {
    this.dir = dir;
    this.random = random;
    boolean disturbed = SkewedClock.possible();
    boolean mounted = SmallDisk.possible(dir.resolve("trial"));
    Blueprint blueprint =
        new Blueprint(dir).with(NodeRole.COMBINED, 1, 2, 3).wired().replicas(3, 2).set(settings());
    try {
      prepare(blueprint, disturbed, mounted);
      this.cluster = blueprint.start();
    } catch (IOException | InterruptedException | RuntimeException | Error failed) {
      unmount();
      throw failed;
    }
  }

  private void prepare(Blueprint blueprint, boolean disturbed, boolean mounted)
      throws IOException, InterruptedException {
    for (int node : NODES) {
      Path own = dir.resolve("node-" + node);
      if (disturbed) {
        SkewedClock clock = SkewedClock.in(own.resolve("clock"));
        clock.environment().forEach((name, value) -> blueprint.environment(node, name, value));
        clocks.put(node, clock);
      }
      if (mounted) {
        disks.put(node, SmallDisk.mount(own.resolve("disk"), DISK_MIB));
      }
      blueprint.set(node, "log.dirs", data(node).toString());
      blueprint.set(node, "metadata.log.dir", own.resolve("metadata").toString());
    }
  }

  private static Map<String, String> settings() {
    Map<String, String> settings = new HashMap<>();
    settings.put("transaction.state.log.num.partitions", "3");
    settings.put("offsets.topic.num.partitions", "3");
    settings.put("transaction.abort.timed.out.transaction.cleanup.interval.ms", "500");
    settings.put("replica.lag.time.max.ms", "4000");
    settings.put("controller.socket.timeout.ms", "3000");
    settings.put("log.retention.check.interval.ms", "500");
    settings.put("log.segment.delete.delay.ms", "500");
    settings.put("strandline.tier.check.ms", "200");
    settings.put("strandline.tier.reclaim.ms", "1000");
    settings.put("strandline.cache.disk.bytes", "0");
    settings.put("strandline.disk.reserve", "off");
    return settings;
  }

  private Path data(int node) {
    return dir.resolve("node-" + node).resolve("disk").resolve("data");
  }

  String bootstrap() {
    return cluster.bootstrap();
  }

  List<Integer> nodes() {
    return NODES;
  }

  List<Integer> others(int node) {
    return NODES.stream().filter(other -> other != node).toList();
  }

  /** One of them. */
  int other(int node) {
    return others(node).get(random.nextInt(2));
  }

  BrokerProcess node(int id) {
    return cluster.node(id);
  }

  Wires wires() {
    return cluster.wires();
  }

  boolean hasClocks() {
    return !clocks.isEmpty();
  }

  boolean hasDisks() {
    return !disks.isEmpty();
  }

  SkewedClock clock(int node) {
    return clocks.get(node);
  }

  SmallDisk disk(int node) {
    return disks.get(node);
  }

  /** What a node that does not run had is gone, but for the metadata. */
  void loseDisk(int node) throws IOException {
    try (Stream<Path> all = Files.walk(data(node))) {
      for (Path path : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.delete(path);
      }
    }
  }

  int activeController() throws Exception {
    return cluster
        .admin()
        .describeMetadataQuorum()
        .quorumInfo()
        .get(30, TimeUnit.SECONDS)
        .leaderId();
  }

  /** From the first number up to the second. */
  long between(long from, long to) {
    return random.nextLong(from, to + 1);
  }

  /** Some time passes. */
  void pass(long fromMillis, long toMillis) {
    LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(between(fromMillis, toMillis)));
  }

  /** Until every replica of everything is in sync. */
  void awaitWhole() throws Exception {
    try {
      Waiting.until("all replicas in sync", () -> missing().isEmpty());
    } catch (AssertionError late) {
      for (int node : NODES) {
        node(node).dumpThreads();
      }
      throw new AssertionError("not in sync: " + missing(), late);
    }
  }

  /** Partitions that not all replicas have, as the controller tells. */
  private List<String> missing() throws Exception {
    Admin admin = cluster.admin();
    Set<String> names = admin.listTopics(new ListTopicsOptions().listInternal(true)).names().get();
    return admin.describeTopics(names).allTopicNames().get(30, TimeUnit.SECONDS).values().stream()
        .flatMap(
            topic ->
                topic.partitions().stream()
                    .filter(one -> one.isr().size() != one.replicas().size())
                    .map(one -> topic.name() + " " + one))
        .toList();
  }

  @Override
  public void close() throws IOException {
    try {
      cluster.close();
    } finally {
      unmount();
    }
  }

  private void unmount() throws IOException {
    for (SmallDisk disk : disks.values()) {
      disk.close();
    }
  }
}

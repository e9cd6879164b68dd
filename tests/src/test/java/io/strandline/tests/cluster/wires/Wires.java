package io.strandline.tests.cluster.wires;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The network of a cluster. Each node has an address of its own for each other one (127.1.FROM.TO),
 * which its {@code jdk.net.hosts.file} gives for the other's name, and a proxy listens there; Linux
 * alone lets a process have all of 127.0.0.0/8. Clients' addresses are 127.2.0.TO.
 *
 * <p>A direction that is <em>held</em> delivers nothing, neither bytes nor ends of connections,
 * until it is healed: then it delivers what was sent. A pair that is <em>cut</em> is told so by
 * resets.
 */
public final class Wires implements AutoCloseable {
  /** In place of a node's id. */
  public static final int CLIENTS = 0;

  private final Set<Integer> nodes;
  private final Map<Direction, Gate> gates = new HashMap<>();
  private final Map<Direction, Wire> wires = new HashMap<>();

  private record Direction(int from, int to, Plane plane) {}

  /**
   * @param ports of each node on 127.0.0.1 by plane
   */
  public Wires(Map<Integer, Map<Plane, Integer>> ports) throws IOException {
    this.nodes = Set.copyOf(ports.keySet());
    for (var node : ports.entrySet()) {
      for (var listener : node.getValue().entrySet()) {
        wire(node.getKey(), listener.getKey(), listener.getValue());
      }
    }
  }

  private void wire(int to, Plane plane, int port) throws IOException {
    Collection<Integer> sources = plane == Plane.PLAINTEXT ? List.of(CLIENTS) : nodes;
    for (int from : sources) {
      if (from != to) {
        wires.put(
            new Direction(from, to, plane),
            new Wire(address(from, to), port, gate(from, to, plane), gate(to, from, plane)));
      }
    }
  }

  private Gate gate(int from, int to, Plane plane) {
    return gates.computeIfAbsent(new Direction(from, to, plane), any -> new Gate());
  }

  private static String address(int from, int to) {
    return from == CLIENTS ? "127.2.0." + to : "127.1." + from + "." + to;
  }

  /** What a node is called by the others. */
  public static String name(int node) {
    return "node-" + node + ".test";
  }

  /** What a listener is advertised as. */
  public static String advertised(int node, Plane plane) {
    return plane == Plane.PLAINTEXT ? address(CLIENTS, node) : name(node);
  }

  /** Writes down where a node finds the others; it is the JVM's only source of names. */
  public static Path hosts(Path file, int node, Collection<Integer> all) throws IOException {
    StringBuilder lines = new StringBuilder("127.0.0.1 localhost\n");
    Path host = Path.of("/proc/sys/kernel/hostname");
    lines.append("127.0.0.1 ").append(Files.readString(host).strip()).append('\n');
    for (int other : all) {
      String at = other == node ? "127.0.0.1" : address(node, other);
      lines.append(at).append(' ').append(name(other)).append('\n');
    }
    Files.createDirectories(file.getParent());
    return Files.writeString(file, lines);
  }

  /** Nothing gets from the one to the other any more; the way back is as it was. */
  public void hold(int from, int to, Plane... planes) {
    for (Plane plane : planes(planes)) {
      Gate gate = gates.get(new Direction(from, to, plane));
      if (gate != null) {
        gate.hold();
      }
    }
  }

  /** Nothing gets from either to the other any more. */
  public void holdBoth(int one, int other, Plane... planes) {
    hold(one, other, planes);
    hold(other, one, planes);
  }

  /** Connections between the two are reset, and refused from now on. */
  public void cut(int one, int other, Plane... planes) {
    for (Plane plane : planes(planes)) {
      refuse(wires.get(new Direction(one, other, plane)));
      refuse(wires.get(new Direction(other, one, plane)));
    }
  }

  private static void refuse(@Nullable Wire wire) {
    if (wire != null) {
      wire.refuse();
    }
  }

  /** Whatever the one sends to the other comes later by this. */
  public void delay(int from, int to, Duration by, Plane... planes) {
    for (Plane plane : planes(planes)) {
      Gate gate = gates.get(new Direction(from, to, plane));
      if (gate != null) {
        gate.delay(by.toNanos());
      }
    }
  }

  /** All is well, and what was held back arrives. */
  public void heal() {
    wires.values().forEach(Wire::serve);
    gates.values().forEach(Gate::open);
  }

  private static Plane[] planes(Plane... some) {
    return some.length == 0 ? new Plane[] {Plane.CONTROLLER, Plane.BROKERS} : some;
  }

  @Override
  public void close() throws IOException {
    for (Wire wire : wires.values()) {
      wire.close();
    }
  }
}

package io.strandline.tools.balance;

import io.strandline.tools.balance.PartitionState.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableSet;
import java.util.TreeSet;

/**
 * Where replicas lie while a plan is made, and what follows from it for the brokers. Brokers and
 * partitions are numbers here: their places in the snapshot.
 */
final class Layout {
  private final List<Broker> brokers;
  private final List<PartitionState> partitions;
  private final int[][] replicas;
  private final List<TreeSet<Integer>> held = new ArrayList<>();
  private final Map<String, int[]> ofTopic = new HashMap<>();
  private final Loads loads;
  private final Racks racks;
  private final BitSet whole = new BitSet();

  Layout(Snapshot snapshot) {
    brokers = snapshot.brokers();
    partitions = snapshot.partitions();
    loads = new Loads(brokers);
    racks = new Racks(brokers);
    Map<Integer, Integer> numbers = new HashMap<>();
    for (Broker broker : brokers) {
      numbers.put(broker.id(), numbers.size());
      held.add(new TreeSet<>());
    }
    replicas = new int[partitions.size()][];
    for (int p = 0; p < replicas.length; p++) {
      replicas[p] =
          partitions.get(p).replicas().stream()
              .mapToInt(id -> numbers.getOrDefault(id, -1))
              .toArray();
      count(p, 1);
      whole.set(p, seenWhole(p));
    }
    loads.rescale();
  }

  Loads loads() {
    return loads;
  }

  Racks racks() {
    return racks;
  }

  Broker broker(int broker) {
    return brokers.get(broker);
  }

  int brokers() {
    return brokers.size();
  }

  int partitions() {
    return replicas.length;
  }

  PartitionState partition(int partition) {
    return partitions.get(partition);
  }

  /** Not to be changed by who asks. */
  int[] replicas(int partition) {
    return replicas[partition];
  }

  /** Partitions with a replica there, in order. */
  NavigableSet<Integer> held(int broker) {
    return held.get(broker);
  }

  /** Ids of brokers, the preferred leader first. */
  List<Integer> ids(int partition) {
    return Arrays.stream(replicas[partition]).map(b -> brokers.get(b).id()).boxed().toList();
  }

  /** The place in the list of the replica that leads if all live ones are in sync, -1 if none. */
  int leading(int partition) {
    int[] there = replicas[partition];
    for (int i = 0; i < there.length; i++) {
      if (brokers.get(there[i]).alive()) {
        return i;
      }
    }
    return -1;
  }

  boolean holds(int partition, int broker) {
    for (int there : replicas[partition]) {
      if (there == broker) {
        return true;
      }
    }
    return false;
  }

  /** Whether a replica can lead, now or once it has been copied. */
  boolean mayLead(int partition, int broker) {
    PartitionState state = partitions.get(partition);
    int id = brokers.get(broker).id();
    return state.inSync().contains(id) || !state.replicas().contains(id);
  }

  /**
   * Whether it may be moved for balance: what is on its way or catching up is left alone, and what
   * has lost its leader.
   */
  boolean isWhole(int partition) {
    return whole.get(partition);
  }

  /** Replicas of a partition's topic on a broker. */
  int ofTopic(int partition, int broker) {
    return counts(partition)[broker];
  }

  void replace(int partition, int position, int broker) {
    count(partition, -1);
    replicas[partition][position] = broker;
    count(partition, 1);
  }

  /** Makes the replica at that place the preferred leader; the one before takes its place. */
  void prefer(int partition, int position) {
    count(partition, -1);
    int[] there = replicas[partition];
    int first = there[0];
    there[0] = there[position];
    there[position] = first;
    count(partition, 1);
  }

  private void count(int partition, int sign) {
    Weight weight = partitions.get(partition).weight();
    int leading = leading(partition);
    int[] there = replicas[partition];
    for (int i = 0; i < there.length; i++) {
      loads.add(there[i], weight, i == leading, true, sign);
      counts(partition)[there[i]] += sign;
      if (sign > 0) {
        held.get(there[i]).add(partition);
      } else {
        held.get(there[i]).remove(partition);
      }
    }
  }

  private int[] counts(int partition) {
    return ofTopic.computeIfAbsent(
        partitions.get(partition).partition().topic(), topic -> new int[brokers.size()]);
  }

  private boolean seenWhole(int partition) {
    PartitionState state = partitions.get(partition);
    if (state.pinned() || state.leader() < 0 || leading(partition) < 0) {
      return false;
    }
    for (int replica : replicas[partition]) {
      if (brokers.get(replica).alive() && !mayLead(partition, replica)) {
        return false;
      }
    }
    return true;
  }
}

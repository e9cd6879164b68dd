package io.strandline.tools.balance;

import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** A cluster at one time; brokers in order of their ids, partitions in order of their names. */
public record Snapshot(List<Broker> brokers, List<PartitionState> partitions) {
  /**
   * @throws IllegalArgumentException if a replica lies on a broker that is not listed, dead ones
   *     included
   */
  public Snapshot {
    brokers = brokers.stream().sorted(Comparator.comparingInt(Broker::id)).toList();
    partitions =
        partitions.stream()
            .sorted(
                Comparator.comparing((PartitionState p) -> p.partition().topic())
                    .thenComparingInt(p -> p.partition().partition()))
            .toList();
    Set<Integer> known = new HashSet<>(brokers.stream().map(Broker::id).toList());
    for (PartitionState partition : partitions) {
      if (!known.containsAll(partition.replicas())) {
        throw new IllegalArgumentException(
            partition.partition()
                + " lies on a broker that is not listed: "
                + partition.replicas());
      }
    }
  }

  /** The same with these brokers draining. */
  public Snapshot draining(Set<Integer> ids) {
    return new Snapshot(
        brokers.stream().map(b -> ids.contains(b.id()) ? b.drained() : b).toList(), partitions);
  }

  /** The same with these brokers open to new replicas. */
  public Snapshot uncordoned(Set<Integer> ids) {
    return new Snapshot(
        brokers.stream().map(b -> ids.contains(b.id()) ? b.uncordoned() : b).toList(), partitions);
  }
}

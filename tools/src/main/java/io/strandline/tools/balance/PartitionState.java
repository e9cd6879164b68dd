package io.strandline.tools.balance;

import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.TopicPartition;

/**
 * Where a partition lies and what it carries.
 *
 * @param replicas ids of brokers, the preferred leader first; while it is reassigned, those that it
 *     will have
 * @param leader -1 if it has none
 * @param inSync the replicas in sync
 * @param pinned it stays where it is: it is on its way, or was until a moment ago
 */
public record PartitionState(
    TopicPartition partition,
    List<Integer> replicas,
    int leader,
    Set<Integer> inSync,
    Weight weight,
    boolean pinned) {
  public PartitionState {
    replicas = List.copyOf(replicas);
    inSync = Set.copyOf(inSync);
    if (replicas.isEmpty() || new HashSet<>(replicas).size() < replicas.size()) {
      throw new IllegalArgumentException(partition + " cannot have replicas " + replicas);
    }
  }

  /**
   * What a replica of it weighs.
   *
   * @param bytesPerSecond that are written to it
   * @param localBytes on disk
   * @param copyBytes that a new replica has to copy from the leader: what is not in the tier
   */
  public record Weight(double bytesPerSecond, double localBytes, long copyBytes) {
    public static final Weight NONE = new Weight(0, 0, 0);
  }

  /** The same, somewhere else. */
  public PartitionState movedTo(List<Integer> to) {
    return new PartitionState(partition, to, to.get(0), Set.copyOf(to), weight, pinned);
  }
}
